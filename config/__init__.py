"""How the shop is configured: settings, environment, addresses, servers."""
