# METADATA
# title: The client may not hold a scope that the route asks for
# description: by the scopes of its record, whatever its token says
# custom:
#   public: true
#   remedy: Add the scope to the client's record in the registry, if it is to have it.
package countersign.rules.access.client_scope_exceeded

import data.countersign.lib.is
import data.countersign.lib.route
import data.countersign.lib.say

verdict := "clear" if {
	input.subject.registered == false
} else := "clear" if {
	is_null(input.subject.client.scopes)
} else := say.deny_when(count(is.missing(input.route.scopes, input.subject.client.scopes)) > 0) if {
	route.protected
} else := "clear" if {
	route.public
} else := "clear" if {
	route.outside
}
