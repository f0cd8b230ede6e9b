"""Imports point one way, and only the gateway knows Stripe's library."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Who may import whom inside `checkout`: a module may import those of lower rank.
RANKS = [
    {"models", "users", "sign_ins", "money"},
    {"gateway", "attention", "emails", "words", "visitor", "cart", "policy", "forms",
     "limits"},
    {"settlement", "refunds", "disputes", "backends"},
    {"payments"},
    {"inbox"},
    {"reconcile", "audit"},
    {"health", "figures", "timeline", "charts"},
    {
        "views", "failures", "accounts", "webhooks", "admin", "checks", "doctor",
        "urls", "apps", "management",
    },
]  # fmt: skip
# Same rank, named one by one.
ALLOWED = {
    ("models", "users"), ("sign_ins", "users"), ("cart", "money"),
    ("policy", "gateway"), ("forms", "cart"),
    ("apps", "checks"), ("urls", "views"), ("urls", "webhooks"), ("urls", "accounts"),
    ("doctor", "checks"), ("management", "doctor"), ("admin", "accounts"),
    ("views", "failures"),
}  # fmt: skip


def imports_of(path: Path) -> set[str]:
    """Return the dotted names a module imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def modules(folder: str) -> list[Path]:
    paths = sorted((ROOT / folder).rglob("*.py"))
    assert paths
    return [path for path in paths if "migrations" not in path.parts]


def rank(name: str) -> int:
    return next(place for place, names in enumerate(RANKS) if name in names)


def test_imports_inside_the_shop_point_one_way():
    wrong = []
    for path in modules("checkout"):
        name = path.relative_to(ROOT / "checkout").parts[0].removesuffix(".py")
        if name in ("__init__", "templatetags"):
            continue
        for imported in imports_of(path):
            package, _, rest = imported.partition(".")
            other = rest.partition(".")[0]
            if package != "checkout" or other in ("", name):
                continue
            if rank(other) >= rank(name) and (name, other) not in ALLOWED:
                wrong.append(f"{name} imports {other}")
    assert wrong == []


def test_only_the_gateway_imports_stripe():
    found = {
        path.parent.name
        for folder in ("checkout", "config")
        for path in modules(folder)
        for name in imports_of(path)
        if name.partition(".")[0] == "stripe"
    }
    assert found == {"gateway"}


def test_gateway_knows_no_model():
    names = {name for path in modules("checkout/gateway") for name in imports_of(path)}
    assert not [
        name
        for name in names
        if name.startswith("checkout") and not name.startswith("checkout.gateway")
    ]


def test_only_env_reads_the_environment():
    readers = [
        path.name
        for folder in ("checkout", "config")
        for path in modules(folder)
        if "os.environ" in path.read_text() and "setdefault" not in path.read_text()
    ]
    assert readers == ["env.py"]


def test_shop_and_sandbox_do_not_know_each_other():
    for folder, strangers in [
        ("checkout", {"sandbox"}),
        ("config", {"sandbox"}),
        ("sandbox", {"checkout", "config", "django"}),
    ]:
        for path in modules(folder):
            roots = {name.partition(".")[0] for name in imports_of(path)}
            assert not roots & strangers, path


def test_only_payments_moves_orders():
    callers = {
        path.name for path in modules("checkout") if ".move_to(" in path.read_text()
    }
    assert callers == {"payments.py", "settlement.py"}
