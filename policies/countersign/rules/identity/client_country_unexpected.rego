# METADATA
# title: The client does not call from this country
# description: by the countries of its record; where our source of countries failed it is retried
# custom:
#   public: true
#   remedy: Call from a country of the client's record, or add the country to it.
package countersign.rules.identity.client_country_unexpected

import data.countersign.lib.route
import data.countersign.lib.say

verdict := "clear" if {
	input.subject.registered == false
} else := "clear" if {
	route.public
} else := {
	"effect": "deny", "status": 503, "retry_after_seconds": data.countersign.limits.signals.retry_after_seconds,
} if {
	input.subject.client.country == "unavailable"
} else := say.deny_when(input.subject.client.country in {"unexpected", "unknown"}) if {
	input.subject.client.country in {"any", "expected", "unexpected", "unknown"}
}
