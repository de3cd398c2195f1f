# METADATA
# title: The client moved faster than anything travels
# description: from the place of its last allowed request; short ways do not count, since places of addresses are rough
# custom:
#   remedy: Bring stronger evidence, or wait until the way between both places is possible.
package countersign.rules.threat.impossible_travel

import data.countersign.lib.is
import data.countersign.lib.status
import data.countersign.lib.threat

verdict := "clear" if {
	not data.countersign.limits.threats.impossible_travel
} else := "clear" if {
	is.at_most(input.signals.behaviour.value.travel_km, data.countersign.limits.threats.impossible_travel.km_min)
} else := "clear" if {
	is.at_most(input.signals.behaviour.value.travel_kmh, data.countersign.limits.threats.impossible_travel.kmh_max)
} else := threat.seen("threat.impossible_travel", data.countersign.limits.threats.impossible_travel) if {
	is.above(input.signals.behaviour.value.travel_km, data.countersign.limits.threats.impossible_travel.km_min)
	is.above(input.signals.behaviour.value.travel_kmh, data.countersign.limits.threats.impossible_travel.kmh_max)
} else := "clear" if {
	input.signals.behaviour.value.travel_km == null
} else := "clear" if {
	input.signals.behaviour.value.travel_kmh == null
} else := "clear" if {
	status.lacking(input.signals.behaviour.status)
}
