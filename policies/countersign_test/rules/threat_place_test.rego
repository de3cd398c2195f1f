package countersign_test.rules.threat_place_test

import data.countersign.rules.threat.anonymiser
import data.countersign.rules.threat.dormant_client
import data.countersign.rules.threat.hosting_unexpected
import data.countersign.rules.threat.impossible_travel
import data.countersign.rules.threat.stolen_token
import data.countersign_test.fixtures

asks(points) := {"effect": "step_up", "kind": "binding", "methods": ["mtls"], "factors": points}

seen(signal, changes) := object.union(fixtures.good, {"signals": {signal: {"value": changes}}})

broken(signal) := fixtures.with_signal(signal, {"status": "presnt"})

unavailable(signal) := fixtures.with_signal(signal, fixtures.missing("unavailable", "store_full"))

moved := seen("behaviour", {"country_new": true, "asn_new": true})

strange := object.union(moved, {"signals": {"device": {"value": {"new_for_client": true}}}})

test_stolen_token_needs_a_new_place_and_a_new_device if {
	stolen_token.verdict == asks([{"code": "threat.stolen_token", "points": 30}]) with input as strange with data.countersign.limits as fixtures.limits
	stolen_token.verdict == "clear" with input as moved with data.countersign.limits as fixtures.limits
	stolen_token.verdict == "clear" with input as seen("device", {"new_for_client": true}) with data.countersign.limits as fixtures.limits
	stolen_token.verdict == "clear" with input as fixtures.good with data.countersign.limits as fixtures.limits
}

test_stolen_token_by_the_as_alone_and_by_an_unregistered_device if {
	by_as := object.union(strange, {"signals": {"behaviour": {"value": {"country_new": false}}}})
	stolen_token.verdict.effect == "step_up" with input as by_as with data.countersign.limits as fixtures.limits
	unregistered := object.union(moved, {"signals": {"device": {"value": {"known": false, "new_for_client": null}}}})
	stolen_token.verdict.effect == "step_up" with input as unregistered with data.countersign.limits as fixtures.limits
}

# allowed for the first time 599 seconds ago, and four other clients have it
lately := object.union(moved, {"signals": {"device": {"value": {"first_seen": 401, "shared_by_clients": 5}}}})

test_stolen_token_by_a_device_of_lately_that_few_have if {
	stolen_token.verdict == asks([{"code": "threat.stolen_token", "points": 30}]) with input as lately with data.countersign.limits as fixtures.limits
	at_home := object.union(lately, {"signals": {"behaviour": {"value": {"country_new": false, "asn_new": false}}}})
	stolen_token.verdict == "clear" with input as at_home with data.countersign.limits as fixtures.limits
	every change in [{"first_seen": 400}, {"shared_by_clients": 6}, {"first_seen": null}, {"shared_by_clients": null}] {
		stolen_token.verdict == "clear" with input as object.union(lately, {"signals": {"device": {"value": change}}}) with data.countersign.limits as fixtures.limits
	}
}

test_stolen_token_by_new_devices_alone_where_the_limits_do_not_say_more if {
	every name in ["device_age_seconds_min", "device_clients_max"] {
		without := object.remove(fixtures.limits.threats.stolen_token, [name])
		limits := json.patch(fixtures.limits, [{"op": "replace", "path": "/threats/stolen_token", "value": without}])
		stolen_token.verdict == "clear" with input as lately with data.countersign.limits as limits
		stolen_token.verdict.effect == "step_up" with input as strange with data.countersign.limits as limits
	}
}

test_stolen_token_says_nothing_of_what_is_not_known if {
	learning := object.union(strange, {"signals": {"device": {"value": {"new_for_client": null}}}})
	stolen_token.verdict == "clear" with input as learning with data.countersign.limits as fixtures.limits
	nowhere := object.union(strange, {"signals": {"behaviour": {"value": {"country_new": null, "asn_new": null}}}})
	stolen_token.verdict == "clear" with input as nowhere with data.countersign.limits as fixtures.limits
	stolen_token.verdict == "clear" with input as unavailable("device") with data.countersign.limits as fixtures.limits
	strange_device := object.union(unavailable("behaviour"), {"signals": {"device": {"value": {"new_for_client": true}}}})
	stolen_token.verdict == "clear" with input as strange_device with data.countersign.limits as fixtures.limits
}

test_no_verdict_of_stolen_token_on_what_is_broken if {
	nothing := object.union(broken("device"), {"signals": {"behaviour": {"value": {"country_new": true}}}})
	not stolen_token.verdict with input as nothing with data.countersign.limits as fixtures.limits
	not stolen_token.verdict with input as object.union(moved, {"signals": {"device": {"value": {"new_for_client": "yes"}}}}) with data.countersign.limits as fixtures.limits
	every change in [{"first_seen": "401"}, {"shared_by_clients": "5"}] {
		not stolen_token.verdict with input as object.union(lately, {"signals": {"device": {"value": change}}}) with data.countersign.limits as fixtures.limits
	}
	text := object.union(strange, {"signals": {"behaviour": {"value": {"country_new": "yes", "asn_new": false}}}})
	not stolen_token.verdict with input as text with data.countersign.limits as fixtures.limits
	not stolen_token.verdict with input as object.union(strange, {"evidence": {"assurance": "2"}}) with data.countersign.limits as fixtures.limits
}

travels(km, kmh) := seen("behaviour", {"travel_km": km, "travel_kmh": kmh})

test_impossible_travel_is_far_and_fast if {
	impossible_travel.verdict == asks([{"code": "threat.impossible_travel", "points": 20}]) with input as travels(501, 1001)
		with data.countersign.limits as fixtures.limits
	impossible_travel.verdict == "clear" with input as travels(500, 30000) with data.countersign.limits as fixtures.limits
	impossible_travel.verdict == "clear" with input as travels(9000, 1000) with data.countersign.limits as fixtures.limits
	impossible_travel.verdict == "clear" with input as travels(null, null) with data.countersign.limits as fixtures.limits
	impossible_travel.verdict == "clear" with input as unavailable("behaviour") with data.countersign.limits as fixtures.limits
}

test_no_verdict_of_impossible_travel_on_what_is_broken if {
	not impossible_travel.verdict with input as broken("behaviour") with data.countersign.limits as fixtures.limits
	not impossible_travel.verdict with input as travels("9000", 5000) with data.countersign.limits as fixtures.limits
	not impossible_travel.verdict with input as travels(9000, "5000") with data.countersign.limits as fixtures.limits
}

awake := seen("behaviour", {"idle_seconds": 1001})

test_dormant_client_is_back_as_something_else if {
	factors := [{"code": "threat.dormant_client", "points": 20}]
	every change in [{"behaviour": {"value": {"country_new": true}}}, {"behaviour": {"value": {"asn_new": true}}}, {"device": {"value": {"new_for_client": true}}}] {
		dormant_client.verdict == asks(factors) with input as object.union(awake, {"signals": change}) with data.countersign.limits as fixtures.limits
	}
}

test_dormant_client_is_back_as_it_was if {
	dormant_client.verdict == "clear" with input as awake with data.countersign.limits as fixtures.limits
	no_device := object.union(unavailable("device"), {"signals": {"behaviour": {"value": {"idle_seconds": 1001}}}})
	dormant_client.verdict == "clear" with input as no_device with data.countersign.limits as fixtures.limits
	dormant_client.verdict == "clear" with input as strange with data.countersign.limits as fixtures.limits
	first := object.union(strange, {"signals": {"behaviour": {"value": {"idle_seconds": null}}}})
	dormant_client.verdict == "clear" with input as first with data.countersign.limits as fixtures.limits
	dormant_client.verdict == "clear" with input as unavailable("behaviour") with data.countersign.limits as fixtures.limits
}

test_no_verdict_of_dormant_client_on_what_is_broken if {
	not dormant_client.verdict with input as broken("behaviour") with data.countersign.limits as fixtures.limits
	not dormant_client.verdict with input as seen("behaviour", {"idle_seconds": "1001"}) with data.countersign.limits as fixtures.limits
	not dormant_client.verdict with input as seen("behaviour", {"idle_seconds": 1001, "asn_new": "no"}) with data.countersign.limits as fixtures.limits
}

test_anonymiser_by_the_kinds_that_are_named if {
	anonymiser.verdict == asks([]) with input as seen("network", {"kinds": ["hosting", "proxy"]}) with data.countersign.limits as fixtures.limits
	anonymiser.verdict == "clear" with input as seen("network", {"kinds": ["hosting", "vpn"]}) with data.countersign.limits as fixtures.limits
	anonymiser.verdict == "clear" with input as fixtures.good with data.countersign.limits as fixtures.limits
	anonymiser.verdict == "clear" with input as unavailable("network") with data.countersign.limits as fixtures.limits
}

test_no_verdict_of_anonymiser_on_what_is_broken if {
	not anonymiser.verdict with input as broken("network") with data.countersign.limits as fixtures.limits
	not anonymiser.verdict with input as seen("network", {"kinds": "proxy"}) with data.countersign.limits as fixtures.limits
}

hosted := seen("network", {"kinds": ["hosting"]})

test_hosting_is_unexpected_of_a_device_and_on_a_tier if {
	of_device := object.union(hosted, {"subject": {"client": {"type": "device"}}})
	hosting_unexpected.verdict == asks([{"code": "threat.hosting_unexpected", "points": 20}]) with input as of_device
		with data.countersign.limits as fixtures.limits
	on_tier := object.union(hosted, {"route": {"tier": "critical"}})
	hosting_unexpected.verdict.effect == "step_up" with input as on_tier with data.countersign.limits as fixtures.limits
	nobody := json.patch(on_tier, [{"op": "replace", "path": "/subject/client", "value": null}])
	hosting_unexpected.verdict.effect == "step_up" with input as nobody with data.countersign.limits as fixtures.limits
}

test_hosting_is_expected_of_others if {
	every type in ["service", "agent"] {
		hosting_unexpected.verdict == "clear" with input as object.union(hosted, {"subject": {"client": {"type": type}}})
			with data.countersign.limits as fixtures.limits
	}
	nobody := json.patch(object.union(hosted, {"subject": {"registered": false}}), [{"op": "replace", "path": "/subject/client", "value": null}])
	hosting_unexpected.verdict == "clear" with input as nobody with data.countersign.limits as fixtures.limits
	home := object.union(seen("network", {"kinds": ["mobile"]}), {"subject": {"client": {"type": "device"}}})
	hosting_unexpected.verdict == "clear" with input as home with data.countersign.limits as fixtures.limits
	hosting_unexpected.verdict == "clear" with input as unavailable("network") with data.countersign.limits as fixtures.limits
}

test_no_verdict_of_hosting_on_what_is_broken if {
	not hosting_unexpected.verdict with input as broken("network") with data.countersign.limits as fixtures.limits
	not hosting_unexpected.verdict with input as seen("network", {"kinds": "hosting"}) with data.countersign.limits as fixtures.limits
	not hosting_unexpected.verdict with input as json.remove(hosted, ["subject/client"]) with data.countersign.limits as fixtures.limits
	not hosting_unexpected.verdict with input as object.union(hosted, {"subject": {"client": {"type": 7}}}) with data.countersign.limits as fixtures.limits
}
