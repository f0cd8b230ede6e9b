"""Static files under hashed names, compressed, for as long as a browser likes."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticFilesStorage(CompressedManifestStaticFilesStorage):
    """Rewrite `import` in ES modules too, so that relative imports stay cacheable."""

    support_js_module_import_aggregation = True
