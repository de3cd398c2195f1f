# METADATA
# title: The token holds every scope that the route asks for
# description: a protected route that asks for no scope is granted by nothing here
# custom:
#   public: true
package countersign.rules.access.scope_granted

import data.countersign.lib.is
import data.countersign.lib.route
import data.countersign.lib.say

verdict := say.allow_when(is.all_in(input.route.scopes, token.value.scopes)) if {
	route.protected
	token := input.signals.token
	token.status == "present"
} else := "clear" if {
	input.signals.token.status in {"absent", "invalid", "unavailable"}
} else := "clear" if {
	route.public
} else := "clear" if {
	route.outside
}
