# METADATA
# title: Requests from this country are not accepted
# custom:
#   remedy: Call from another country, or take this one off limits.network.countries_blocked.
package countersign.rules.network.country_blocked

import data.countersign.lib.is
import data.countersign.lib.say
import data.countersign.lib.status

verdict := "clear" if {
	status.lacking(input.signals.network.status)
} else := "clear" if {
	input.signals.network.value.country == null
} else := say.deny_when(is.one_of(input.signals.network.value.country, data.countersign.limits.network.countries_blocked)) if {
	input.signals.network.status == "present"
}
