package countersign_test.rules.threat_volume_test

import data.countersign.rules.risk.too_high
import data.countersign.rules.threat
import data.countersign.rules.threat.agent_drift
import data.countersign.rules.threat.credential_stuffing
import data.countersign.rules.threat.enumeration
import data.countersign.rules.threat.key_leak
import data.countersign.rules.threat.scraping
import data.countersign_test.fixtures

asks(points) := {"effect": "step_up", "kind": "binding", "methods": ["mtls"], "factors": points}

refused := {"effect": "deny", "factors": []}

seen(changes) := object.union(fixtures.good, {"signals": {"behaviour": {"value": changes}}})

unavailable := fixtures.with_signal("behaviour", fixtures.missing("unavailable", "store_full"))

test_key_leak_is_many_addresses_of_many_networks if {
	key_leak.verdict == asks([{"code": "threat.key_leak", "points": 30}]) with input as seen({"token_addresses": 9, "asns": 5})
		with data.countersign.limits as fixtures.limits
	key_leak.verdict == "clear" with input as seen({"token_addresses": 900, "addresses": 900, "asns": 4}) with data.countersign.limits as fixtures.limits
	key_leak.verdict == "clear" with input as seen({"token_addresses": 8, "addresses": 900, "asns": 40}) with data.countersign.limits as fixtures.limits
}

test_key_leak_counts_the_client_where_it_has_no_token if {
	key_leak.verdict.effect == "step_up" with input as seen({"token_addresses": null, "addresses": 9, "asns": 5})
		with data.countersign.limits as fixtures.limits
	key_leak.verdict == "clear" with input as seen({"token_addresses": null, "addresses": null, "asns": 5}) with data.countersign.limits as fixtures.limits
	key_leak.verdict == "clear" with input as seen({"token_addresses": 9, "asns": null}) with data.countersign.limits as fixtures.limits
}

test_scraping_is_many_resources if {
	scraping.verdict == refused with input as seen({"resources": 101}) with data.countersign.limits as fixtures.limits
	scraping.verdict == "clear" with input as seen({"resources": 100}) with data.countersign.limits as fixtures.limits
	scraping.verdict == "clear" with input as seen({"resources": null}) with data.countersign.limits as fixtures.limits
}

test_enumeration_is_many_resources_and_many_failures if {
	outcomes := {"failure": 6, "abuse": 0}
	enumeration.verdict == refused with input as seen({"resources": 21, "denials": 5, "outcomes": outcomes}) with data.countersign.limits as fixtures.limits
	enumeration.verdict == refused with input as seen({"resources": 21, "denials": 11}) with data.countersign.limits as fixtures.limits
	not enumeration.verdict with input as seen({"resources": 21, "denials": 11, "outcomes": null}) with data.countersign.limits as fixtures.limits
	enumeration.verdict == "clear" with input as seen({"resources": 21, "denials": 4, "outcomes": outcomes}) with data.countersign.limits as fixtures.limits
	enumeration.verdict == "clear" with input as seen({"resources": 20, "denials": 90, "outcomes": outcomes}) with data.countersign.limits as fixtures.limits
	enumeration.verdict == "clear" with input as seen({"resources": 40, "denials": 6, "outcomes": outcomes}) with data.countersign.limits as fixtures.limits
	enumeration.verdict == "clear" with input as seen({"resources": null, "denials": null, "outcomes": null}) with data.countersign.limits as fixtures.limits
}

test_enumeration_counts_abuse_as_a_failure if {
	outcomes := {"failure": 3, "abuse": 3}
	enumeration.verdict == refused with input as seen({"resources": 21, "denials": 5, "outcomes": outcomes}) with data.countersign.limits as fixtures.limits
}

test_credential_stuffing_is_many_refused_credentials_of_an_address if {
	credential_stuffing.verdict == refused with input as seen({"address_failed_credentials": 11}) with data.countersign.limits as fixtures.limits
	credential_stuffing.verdict == "clear" with input as seen({"address_failed_credentials": 10}) with data.countersign.limits as fixtures.limits
	credential_stuffing.verdict == "clear" with input as seen({"address_failed_credentials": null}) with data.countersign.limits as fixtures.limits
}

test_agent_drift_by_its_pace if {
	factors := [{"code": "threat.agent_drift", "points": 20}]
	agent_drift.verdict == asks(factors) with input as seen({"requests_deviation": 9, "requests_minute": 31}) with data.countersign.limits as fixtures.limits
	agent_drift.verdict == "clear" with input as seen({"requests_deviation": 9, "requests_minute": 30}) with data.countersign.limits as fixtures.limits
	agent_drift.verdict == "clear" with input as seen({"requests_deviation": 8, "requests_minute": 300}) with data.countersign.limits as fixtures.limits
	agent_drift.verdict == "clear" with input as seen({"requests_deviation": null, "requests_minute": 300}) with data.countersign.limits as fixtures.limits
}

test_agent_drift_is_above_its_mean_as_a_multiple_too if {
	busy := {"requests_deviation": 9, "requests_minute": 200, "requests_minute_mean": 99}
	agent_drift.verdict.effect == "step_up" with input as seen(busy) with data.countersign.limits as fixtures.limits
	usual := object.union(busy, {"requests_minute_mean": 100})
	agent_drift.verdict == "clear" with input as seen(usual) with data.countersign.limits as fixtures.limits
	without := object.remove(fixtures.limits.threats.agent_drift, ["mean_times_min"])
	limits := json.patch(fixtures.limits, [{"op": "replace", "path": "/threats/agent_drift", "value": without}])
	agent_drift.verdict.effect == "step_up" with input as seen(usual) with data.countersign.limits as limits
	not agent_drift.verdict with input as seen(object.union(busy, {"requests_minute_mean": "99"})) with data.countersign.limits as fixtures.limits
}

test_agent_drift_by_what_it_is_refused if {
	agent_drift.verdict.effect == "step_up" with input as seen({"denials": 6, "step_ups": 5}) with data.countersign.limits as fixtures.limits
	agent_drift.verdict.effect == "step_up" with input as seen({"denials": 6, "step_ups": 5, "requests_deviation": null})
		with data.countersign.limits as fixtures.limits
	agent_drift.verdict == "clear" with input as seen({"denials": 5, "step_ups": 5}) with data.countersign.limits as fixtures.limits
	agent_drift.verdict == "clear" with input as seen({"denials": null, "step_ups": null, "requests_deviation": null, "requests_minute": null})
		with data.countersign.limits as fixtures.limits
}

test_clear_where_the_memory_says_nothing if {
	every name in ["key_leak", "scraping", "enumeration", "credential_stuffing", "agent_drift"] {
		threat[name].verdict == "clear" with input as unavailable with data.countersign.limits as fixtures.limits
	}
}

test_no_verdict_on_a_number_that_is_text if {
	not key_leak.verdict with input as seen({"asns": "9", "token_addresses": 90}) with data.countersign.limits as fixtures.limits
	not key_leak.verdict with input as seen({"asns": 9, "token_addresses": "9"}) with data.countersign.limits as fixtures.limits
	not scraping.verdict with input as seen({"resources": "9"}) with data.countersign.limits as fixtures.limits
	not enumeration.verdict with input as seen({"resources": "9", "denials": 90}) with data.countersign.limits as fixtures.limits
	not enumeration.verdict with input as seen({"resources": 90, "outcomes": {"failure": "9"}}) with data.countersign.limits as fixtures.limits
	not credential_stuffing.verdict with input as seen({"address_failed_credentials": "9"}) with data.countersign.limits as fixtures.limits
	not agent_drift.verdict with input as seen({"denials": "9"}) with data.countersign.limits as fixtures.limits
	not agent_drift.verdict with input as seen({"requests_deviation": "9", "requests_minute": 90}) with data.countersign.limits as fixtures.limits
}

test_no_verdict_without_the_signals if {
	count({name | some name, template in threat; template.verdict}) == 0 with input as {} with data.countersign.limits as fixtures.limits
}

test_without_the_data_every_template_is_clear if {
	count([1 | some template in threat; template.verdict == "clear"]) == 10 with input as {}
		with data.countersign.limits as object.remove(fixtures.limits, ["threats"])
}

scraped := seen({"resources": 101})

with_effect(effect, points) := object.union(fixtures.limits, {"threats": {"scraping": {"effect": effect, "points": points}}})

test_the_effect_is_data if {
	factors := [{"code": "threat.scraping", "points": 40}]
	scraping.verdict == {"effect": "clear", "factors": factors} with input as scraped with data.countersign.limits as with_effect("clear", 40)
	scraping.verdict == {"effect": "deny", "factors": factors} with input as scraped with data.countersign.limits as with_effect("deny", 40)
	scraping.verdict == asks(factors) with input as scraped with data.countersign.limits as with_effect("step_up", 40)
	not scraping.verdict with input as scraped with data.countersign.limits as with_effect("warn", 40)
	not scraping.verdict with input as scraped with data.countersign.limits as with_effect("deny", "40")
}

test_a_step_up_is_met_by_assurance_3_and_starts_with_a_token if {
	strong := object.union(scraped, {"evidence": {"assurance": 3}})
	scraping.verdict == {"effect": "clear", "factors": []} with input as strong with data.countersign.limits as with_effect("step_up", 0)
	weak := object.union(scraped, {"evidence": {"assurance": 0}})
	scraping.verdict.methods == ["token"] with input as weak with data.countersign.limits as with_effect("step_up", 0)
}

test_a_step_up_is_not_asked_for_on_a_public_route if {
	public := object.union(scraped, {"route": {"public": true}})
	scraping.verdict == {"effect": "clear", "factors": []} with input as public with data.countersign.limits as with_effect("step_up", 0)
	scraping.verdict.effect == "deny" with input as public with data.countersign.limits as with_effect("deny", 0)
	unknown := object.union(scraped, {"route": {"status": "unknown"}})
	scraping.verdict.effect == "step_up" with input as unknown with data.countersign.limits as with_effect("step_up", 0)
}

test_points_are_a_part_of_the_risk if {
	too_high.verdict == {"effect": "clear", "factors": [], "allowed": 30} with input as scraped with data.countersign.limits as with_effect("clear", 30)
	too_high.verdict.effect == "step_up" with input as scraped with data.countersign.limits as with_effect("clear", 31)
	too_high.verdict.effect == "deny" with input as scraped with data.countersign.limits as with_effect("clear", 61)
}
