{{/* Secret with the certificate of a listener, or nothing: (list $ "grpc") */}}
{{- define "countersign.tlsSecret" -}}
{{- $root := index . 0 -}}
{{- $listener := index . 1 -}}
{{- $own := (index $root.Values.tls $listener).secret -}}
{{- if $own -}}
{{- $own -}}
{{- else if and $root.Values.certificate.enabled (has $listener $root.Values.certificate.listeners) -}}
{{- include "countersign.fullname" $root }}-tls
{{- end -}}
{{- end }}

{{/* True where a listener has TLS, by these values or by `config`: (list $ "grpc") */}}
{{- define "countersign.hasTls" -}}
{{- $part := index (index . 0).Values.config (index . 1) | default dict -}}
{{- if or $part.tls (include "countersign.tlsSecret" .) -}}true{{- end -}}
{{- end }}

{{/* The volume with the CA of the gateways, as YAML of a volume source, or nothing: (list $ "grpc") */}}
{{- define "countersign.clientCa" -}}
{{- $root := index . 0 -}}
{{- $listener := index . 1 -}}
{{- $ca := (index $root.Values.tls $listener).clientCa -}}
{{- $secret := include "countersign.tlsSecret" . -}}
{{- $items := list (dict "key" $ca.key "path" "ca.crt") -}}
{{- if $ca.configMap -}}
{{- dict "configMap" (dict "name" $ca.configMap "items" $items) | toYaml -}}
{{- else if $ca.secret -}}
{{- dict "secret" (dict "secretName" $ca.secret "items" $items) | toYaml -}}
{{- else if and $root.Values.certificate.enabled $root.Values.certificate.mutual (has $listener $root.Values.certificate.listeners) -}}
{{- dict "secret" (dict "secretName" $secret "items" (list (dict "key" "ca.crt" "path" "ca.crt"))) | toYaml -}}
{{- end -}}
{{- end }}

{{/* True where clients of a listener must show a certificate, by these values or by `config`: (list $ "http") */}}
{{- define "countersign.asksForCertificates" -}}
{{- $tls := (index (index . 0).Values.config (index . 1) | default dict).tls -}}
{{- if $tls -}}
{{- if $tls.clientCaFile -}}true{{- end -}}
{{- else if and (include "countersign.tlsSecret" .) (include "countersign.clientCa" .) -}}true
{{- end -}}
{{- end }}

{{/* Path of the bundle that `policies` brings. */}}
{{- define "countersign.bundle" -}}
{{- with .Values.policies -}}
{{- if eq .source "image" -}}/app/policies.tar.gz
{{- else if eq .source "configMap" -}}/etc/countersign/policies/{{ .configMap.key }}
{{- else if eq .source "volume" -}}/etc/countersign/policies/{{ .volume.path }}
{{- else -}}{{ .url.bundle }}
{{- end -}}
{{- end -}}
{{- end }}

{{/* The file of the service: `config`, and what other values bring where `config` does not say it. */}}
{{- define "countersign.config" -}}
{{- $name := include "countersign.fullname" . -}}
{{- $config := deepCopy .Values.config -}}
{{- $policy := deepCopy ($config.policy | default dict) -}}
{{- if not $policy.bundle -}}
{{- $_ := set $policy "bundle" (include "countersign.bundle" .) -}}
{{- end -}}
{{- with .Values.policies.url.tokenSecret -}}
{{- if and (eq $.Values.policies.source "url") .name -}}
{{- $_ := set $policy "credentials" (dict "tokenFile" (printf "/etc/countersign/policy-token/%s" .key)) -}}
{{- end -}}
{{- end -}}
{{- $_ := set $config "policy" $policy -}}
{{- $state := $config.state | default dict -}}
{{- $_ := set $config "state" (merge (deepCopy $state) (dict "directory" "/var/lib/countersign")) -}}
{{- range $listener := list "http" "grpc" -}}
{{- $part := deepCopy (index $config $listener | default dict) -}}
{{- $secret := include "countersign.tlsSecret" (list $ $listener) -}}
{{- if and $secret (not $part.tls) -}}
{{- $folder := printf "/etc/countersign/tls/%s" $listener -}}
{{- $tls := dict "certFile" (printf "%s/tls.crt" $folder) "keyFile" (printf "%s/tls.key" $folder) -}}
{{- if include "countersign.clientCa" (list $ $listener) -}}
{{- $_ := set $tls "clientCaFile" (printf "/etc/countersign/tls/%s-ca/ca.crt" $listener) -}}
{{- end -}}
{{- $_ := set $part "tls" $tls -}}
{{- end -}}
{{- if eq $listener "http" -}}
{{- $_ := set $part "publicHosts" (concat ($part.publicHosts | default list) (include "countersign.hosts" (list $ $name) | fromYamlArray) | uniq) -}}
{{- end -}}
{{- $_ := set $config $listener $part -}}
{{- end -}}
{{- $operations := deepCopy ($config.operations | default dict) -}}
{{- $own := include "countersign.hosts" (list . (printf "%s-operations" $name)) | fromYamlArray -}}
{{- $_ := set $operations "publicHosts" (concat ($operations.publicHosts | default list) $own | uniq) -}}
{{- $_ := set $config "operations" $operations -}}
{{- $network := deepCopy ($config.network | default dict) -}}
{{- if and .Values.geoip.databases (not $network.databases) -}}
{{- $files := list -}}
{{- range .Values.geoip.databases -}}{{- $files = append $files (printf "/var/lib/geoip/%s" .file) -}}{{- end -}}
{{- $_ := set $config "network" (merge (dict "databases" $files) $network) -}}
{{- end -}}
{{- if ne .Values.redis.mode "none" -}}
{{- $_ := set $config "store" (merge (dict "kind" "redis") (deepCopy ($config.store | default dict))) -}}
{{- end -}}
{{- toYaml $config -}}
{{- end }}

{{/* Seconds from the deletion of a pod to its end at the latest: preStop, the notice, three bounds one after the other (gateways, operations, log), and a reserve. */}}
{{- define "countersign.drainSeconds" -}}
{{- $drain := .Values.config.drain | default dict -}}
{{- $notice := int (hasKey $drain "noticeMs" | ternary $drain.noticeMs 1500) -}}
{{- $bound := int (hasKey $drain "boundMs" | ternary $drain.boundMs 5000) -}}
{{- add .Values.lifecycle.preStopSeconds (div (add $notice (mul 3 $bound) 999) 1000) 3 -}}
{{- end }}

{{- define "countersign.graceSeconds" -}}
{{- default (include "countersign.drainSeconds" .) (.Values.lifecycle.terminationGracePeriodSeconds | int | toString | trimPrefix "0") -}}
{{- end }}

{{/* True where gateways come by a variable: they take the place of all that `config` names. */}}
{{- define "countersign.pepsByVariable" -}}
{{- range concat (.Values.secretEnv | default list) (.Values.extraEnv | default list) -}}{{- if eq (toString .name) "COUNTERSIGN_PEPS" -}}true{{- end -}}{{- end -}}
{{- end }}

{{/* True where nobody has to show who is asking. */}}
{{- define "countersign.anonymous" -}}
{{- $open := not .Values.config.peps -}}
{{- range .Values.config.peps -}}{{- if .anonymous -}}{{- $open = true -}}{{- end -}}{{- end -}}
{{- if and $open (not (include "countersign.pepsByVariable" .)) -}}true{{- end -}}
{{- end }}
