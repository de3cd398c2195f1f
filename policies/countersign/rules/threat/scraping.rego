# METADATA
# title: The client reads far more different things than clients do
# description: distinct resources within the hour, whether they were there or not
# custom:
#   remedy: Read fewer different things an hour, or raise resources_max in limits.threats.scraping.
package countersign.rules.threat.scraping

import data.countersign.lib.is
import data.countersign.lib.status
import data.countersign.lib.threat

verdict := "clear" if {
	not data.countersign.limits.threats.scraping
} else := "clear" if {
	is.at_most(input.signals.behaviour.value.resources, data.countersign.limits.threats.scraping.resources_max)
} else := threat.seen("threat.scraping", data.countersign.limits.threats.scraping) if {
	is.above(input.signals.behaviour.value.resources, data.countersign.limits.threats.scraping.resources_max)
} else := "clear" if {
	input.signals.behaviour.value.resources == null
} else := "clear" if {
	status.lacking(input.signals.behaviour.status)
}
