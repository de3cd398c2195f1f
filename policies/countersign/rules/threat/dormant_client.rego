# METADATA
# title: A client that was silent for long is back from a new place or with a new device
# description: back where it always was, with what it always had, it is welcome
# custom:
#   remedy: Bring stronger evidence, or have the client's owner confirm that it is back.
package countersign.rules.threat.dormant_client

import data.countersign.lib.is
import data.countersign.lib.status
import data.countersign.lib.threat

verdict := "clear" if {
	not data.countersign.limits.threats.dormant_client
} else := "clear" if {
	is.at_most(input.signals.behaviour.value.idle_seconds, data.countersign.limits.threats.dormant_client.idle_seconds_max)
} else := "clear" if {
	input.signals.behaviour.value.idle_seconds == null
} else := threat.seen("threat.dormant_client", data.countersign.limits.threats.dormant_client) if {
	is.above(input.signals.behaviour.value.idle_seconds, data.countersign.limits.threats.dormant_client.idle_seconds_max)
	_changed
} else := "clear" if {
	is.above(input.signals.behaviour.value.idle_seconds, data.countersign.limits.threats.dormant_client.idle_seconds_max)
	status.not_true(input.signals.behaviour.value.country_new)
	status.not_true(input.signals.behaviour.value.asn_new)
	_device_same
} else := "clear" if {
	status.lacking(input.signals.behaviour.status)
}

_changed if input.signals.behaviour.value.country_new == true

_changed if input.signals.behaviour.value.asn_new == true

_changed if input.signals.device.value.new_for_client == true

_device_same if status.not_true(input.signals.device.value.new_for_client)

_device_same if status.lacking(input.signals.device.status)
