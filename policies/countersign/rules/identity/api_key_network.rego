# METADATA
# title: The API key does not count from this address
# description: neither another credential nor a new one would help
# custom:
#   public: true
#   remedy: Call from a network of the key's record, or add the address to it.
package countersign.rules.identity.api_key_network

import data.countersign.lib.route
import data.countersign.lib.say

verdict := "clear" if {
	input.signals.api_key.status == "absent"
} else := "clear" if {
	input.signals.api_key.status in {"present", "unavailable"}
} else := "clear" if {
	route.public
} else := say.deny_when(input.signals.api_key.code == "api_key_network") if {
	input.signals.api_key.status == "invalid"
}
