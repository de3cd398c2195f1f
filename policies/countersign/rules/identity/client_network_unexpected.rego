# METADATA
# title: The client does not call from this address
# description: by the networks of its record; an address that is not known is in none of them
# custom:
#   public: true
#   remedy: Call from a network of the client's record, or add the address to it.
package countersign.rules.identity.client_network_unexpected

import data.countersign.lib.route
import data.countersign.lib.say

verdict := "clear" if {
	input.subject.registered == false
} else := "clear" if {
	route.public
} else := say.deny_when(input.subject.client.network in {"unexpected", "unknown"}) if {
	input.subject.client.network in {"any", "expected", "unexpected", "unknown"}
}
