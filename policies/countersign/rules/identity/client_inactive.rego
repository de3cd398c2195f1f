# METADATA
# title: The client is not active
# description: it is suspended or retired
# custom:
#   exceptions: false
#   public: true
#   remedy: Set the client's record in the registry active again.
package countersign.rules.identity.client_inactive

import data.countersign.lib.route
import data.countersign.lib.say

verdict := "clear" if {
	input.subject.registered == false
} else := "clear" if {
	route.public
} else := say.deny_when(input.subject.client.status in {"suspended", "retired"}) if {
	input.subject.client.status in {"active", "suspended", "retired"}
}
