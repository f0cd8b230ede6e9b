"""The operator's desk: shows everything and lets nobody type over money.

The only price that can be typed is a product's; an order that was placed keeps its
own. Rows that money rests on cannot be added, changed or deleted; what an operator
may do to them are acts of their own, each behind a permission: `refund_order` puts
money back, `change_order` closes, checks and mails, `change_attention` resolves,
`change_stripeevent` replays.
"""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from checkout.admin import attention, events, orders, people, products

__all__ = ["attention", "events", "orders", "people", "products"]

admin.site.site_header = admin.site.site_title = "Lamplight"
admin.site.index_title = _("Today")
# The few places of this desk fit into its head.
admin.site.enable_nav_sidebar = False
