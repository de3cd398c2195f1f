# METADATA
# title: Requests from this address are not accepted
# description: the service matches the address against the list before Rego, so its length costs nothing here; no database is needed for it
# custom:
#   remedy: Take the address off limits.network.addresses_blocked, if it is not to be blocked.
package countersign.rules.network.address_blocked

import data.countersign.lib.say

verdict := say.deny_when(count([1 | some list in lists; list.name == "addresses_blocked"]) > 0) if {
	lists := input.request.address_lists
	is_array(lists)
}
