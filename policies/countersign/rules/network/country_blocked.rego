# METADATA
# title: Requests from this country are not accepted
# custom:
#   remedy: Call from another country, or take this one off limits.network.countries_blocked.
package countersign.rules.network.country_blocked

import data.countersign.lib.is
import data.countersign.lib.say

verdict := "clear" if {
	input.signals.network.status in {"absent", "invalid", "unavailable"}
} else := "clear" if {
	input.signals.network.value.country == null
} else := say.deny_when(is.one_of(input.signals.network.value.country, data.countersign.limits.network.countries_blocked)) if {
	input.signals.network.status == "present"
}
