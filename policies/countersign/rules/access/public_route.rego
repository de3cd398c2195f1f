# METADATA
# title: The route is public
# custom:
#   public: true
package countersign.rules.access.public_route

import data.countersign.lib.route
import data.countersign.lib.say

verdict := say.allow_when(route.public) if {
	route.public
} else := "clear" if {
	route.protected
} else := "clear" if {
	route.outside
}
