# METADATA
# title: Requests from this address are not accepted
# description: the service matches the address against the list before Rego, so its length costs nothing here
package countersign.rules.network.address_blocked

import data.countersign.lib.say

verdict := "clear" if {
	input.signals.network.status in {"absent", "invalid", "unavailable"}
} else := say.deny_when(count([1 | some list in lists; list.name == "addresses_blocked"]) > 0) if {
	lists := input.signals.network.value.lists
	is_array(lists)
}
