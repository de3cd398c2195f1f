# METADATA
# title: The token or API key holds every scope that the route asks for
# description: a protected route that asks for no scope is granted by nothing here
# custom:
#   public: true
package countersign.rules.access.scope_granted

import data.countersign.lib.credential
import data.countersign.lib.is
import data.countersign.lib.route
import data.countersign.lib.say

verdict := say.allow_when(is.all_in(input.route.scopes, credential.scopes)) if {
	route.protected
} else := "clear" if {
	credential.none
} else := "clear" if {
	route.public
} else := "clear" if {
	route.outside
}
