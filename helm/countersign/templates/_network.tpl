{{/* Rules of egress for what `config` names by URL, as a YAML list: its ports, among the peers of `networkPolicy.destinations`. What is on loopback needs none. */}}
{{- define "countersign.destinations" -}}
{{- $config := include "countersign.config" . | fromYaml -}}
{{- $urls := dict "bundles" list "issuers" list "lists" list "sources" list "logCollector" list "tracing" list -}}
{{- $policies := concat (list ($config.policy | default dict)) (values ($config.policies | default dict)) -}}
{{- range $policies -}}
{{- $_ := set $urls "bundles" (concat $urls.bundles (list .bundle (.candidate | default dict).bundle)) -}}
{{- end -}}
{{- $identity := $config.identity | default dict -}}
{{- range $identity.issuers -}}
{{- $found := ternary .issuer nil (or .discovery false) -}}
{{- $_ := set $urls "issuers" (concat $urls.issuers (list $found .jwksUrl (.introspection | default dict).endpoint)) -}}
{{- end -}}
{{- range (dig "signatures" "profiles" list $identity) -}}
{{- $_ := set $urls "issuers" (append $urls.issuers .jwksUrl) -}}
{{- end -}}
{{- range (dig "certificates" "crl" "sources" list $identity) -}}
{{- $_ := set $urls "lists" (append $urls.lists .url) -}}
{{- end -}}
{{- range ($config.network | default dict).lists -}}
{{- $_ := set $urls "lists" (append $urls.lists .url) -}}
{{- end -}}
{{- range $config.sources -}}
{{- $_ := set $urls "sources" (append $urls.sources .url) -}}
{{- end -}}
{{- $log := dig "log" "http" nil ($config.decisions | default dict) -}}
{{- $_ := set $urls "logCollector" (list ($log | default dict).url) -}}
{{- $_ := set $urls "tracing" (list ($config.tracing | default dict).endpoint) -}}
{{- $rules := list -}}
{{- range $what, $named := $urls -}}
{{- $ports := list -}}
{{- range $named -}}
{{- $origin := regexFind "^https?://[^/?#]+" (. | default "" | toString) -}}
{{- if and $origin (not (regexMatch "^https?://(localhost|127\\.[0-9.]+|\\[::1\\])(:[0-9]+)?$" $origin)) -}}
{{- $port := regexFind ":[0-9]+$" $origin | trimPrefix ":" | default (ternary "443" "80" (hasPrefix "https:" $origin)) -}}
{{- $ports = append $ports (int $port) -}}
{{- end -}}
{{- end -}}
{{- if $ports -}}
{{- $rule := dict "ports" list -}}
{{- range $port := sortAlpha (uniq $ports) -}}
{{- $_ := set $rule "ports" (append $rule.ports (dict "port" (int $port) "protocol" "TCP")) -}}
{{- end -}}
{{- with (index $.Values.networkPolicy.destinations $what) -}}
{{- $_ := set $rule "to" . -}}
{{- end -}}
{{- $rules = append $rules $rule -}}
{{- end -}}
{{- end -}}
{{- if $rules -}}{{- toYaml $rules -}}{{- end -}}
{{- end }}
