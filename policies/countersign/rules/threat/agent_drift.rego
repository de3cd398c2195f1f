# METADATA
# title: The client does not behave as it used to
# description: far more requests a minute than its own mean, in deviations and as a multiple of it, or many refusals within the hour
# custom:
#   remedy: Have the client's owner look at what it does; it passes when its requests are as before, or by an exception.
package countersign.rules.threat.agent_drift

import data.countersign.lib.is
import data.countersign.lib.status
import data.countersign.lib.threat

verdict := "clear" if {
	not data.countersign.limits.threats.agent_drift
} else := "clear" if {
	_calm
	is.at_most(_refusals, data.countersign.limits.threats.agent_drift.refusals_max)
} else := threat.seen("threat.agent_drift", data.countersign.limits.threats.agent_drift) if {
	_busy
} else := threat.seen("threat.agent_drift", data.countersign.limits.threats.agent_drift) if {
	is.above(_refusals, data.countersign.limits.threats.agent_drift.refusals_max)
} else := "clear" if {
	input.signals.behaviour.value.denials == null
} else := "clear" if {
	status.lacking(input.signals.behaviour.status)
}

_calm if is.at_most(input.signals.behaviour.value.requests_deviation, data.countersign.limits.threats.agent_drift.deviation_max)

_calm if is.at_most(input.signals.behaviour.value.requests_minute, data.countersign.limits.threats.agent_drift.requests_minute_max)

# many a minute are close together for who makes many
_calm if is.at_most(input.signals.behaviour.value.requests_minute, _usual)

_calm if input.signals.behaviour.value.requests_deviation == null

_busy if {
	is.above(input.signals.behaviour.value.requests_deviation, data.countersign.limits.threats.agent_drift.deviation_max)
	is.above(input.signals.behaviour.value.requests_minute, data.countersign.limits.threats.agent_drift.requests_minute_max)
	_beyond_usual
}

_beyond_usual if is.above(input.signals.behaviour.value.requests_minute, _usual)

_beyond_usual if not data.countersign.limits.threats.agent_drift.mean_times_min

_usual := input.signals.behaviour.value.requests_minute_mean * data.countersign.limits.threats.agent_drift.mean_times_min

_refusals := input.signals.behaviour.value.denials + input.signals.behaviour.value.step_ups
