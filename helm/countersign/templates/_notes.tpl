{{- define "countersign.notes" -}}
{{- $name := include "countersign.fullname" . -}}
{{- $tls := include "countersign.hasTls" (list . "http") -}}
{{- $grpcTls := include "countersign.hasTls" (list . "grpc") -}}
{{- $anonymous := include "countersign.anonymous" . -}}
{{- $byToken := ne (include "countersign.pepsByVariable" .) "" -}}
{{- range .Values.config.peps -}}{{- if or .tokenSha256 .secondTokenSha256 -}}{{- $byToken = true -}}{{- end -}}{{- end -}}
{{- $byCertificate := include "countersign.asksForCertificates" (list . "http") -}}
Countersign {{ .Chart.AppVersion }} is installed as {{ $name }} in {{ .Release.Namespace }}.
{{ if .Values.sidecar.enabled }}
It runs beside the gateway in each pod of deployment/{{ $name }} and is asked over loopback.
{{- else if not (or $anonymous $byToken $byCertificate) }}
The gateways of config.peps show certificates, and the HTTP listener asks for none: a first decision comes through a gateway, by gRPC.
{{- else }}
A first decision:

  kubectl -n {{ .Release.Namespace }} rollout status deployment/{{ $name }}
  kubectl -n {{ .Release.Namespace }} port-forward service/{{ $name }} 8080:{{ int .Values.service.http.port }} &
  curl -s{{ if $tls }}k{{ end }} {{ ternary "https" "http" (ne $tls "") }}://127.0.0.1:8080/decide -H 'content-type: application/json' \
{{- if $byCertificate }}
    --cert gateway.crt --key gateway.key \
{{- end }}
{{- if and $byToken (not $anonymous) }}
    -H "authorization: Bearer $TOKEN" \
{{- end }}
    -d '{"request": {"method": "GET", "scheme": "https", "host": "api.example", "path": "/", "headers": {}}, "source": {"ip": "192.0.2.1"}}'
{{- if and $byToken (not $anonymous) }}

$TOKEN is the token whose SHA-256 is a tokenSha256 of config.peps.
{{- end }}
{{- end }}
{{- if not .Values.sidecar.enabled }}

Your gateway asks:
  Envoy (ext_authz, gRPC)          {{ $name }}-grpc.{{ .Release.Namespace }}.svc.{{ .Values.service.clusterDomain }}:{{ int .Values.service.grpc.port }}
{{- if .Values.service.grpc.headless }}
    each pod by itself             {{ $name }}-grpc-headless.{{ .Release.Namespace }}.svc.{{ .Values.service.clusterDomain }}:{{ int ((.Values.config.grpc | default dict).port | default 9191) }}
{{- end }}
  forward auth, AuthZEN, /decide   {{ $name }}.{{ .Release.Namespace }}.svc.{{ .Values.service.clusterDomain }}:{{ int .Values.service.http.port }}
{{- end }}
Probes, metrics, admin API         {{ $name }}-operations.{{ .Release.Namespace }}.svc.{{ .Values.service.clusterDomain }}:{{ int .Values.service.operations.port }}

{{- if and .Values.geoip.databases (eq .Values.geoip.update "cronJob") }}

The address databases come at {{ .Values.geoip.schedule }}; for the first time now by

  kubectl -n {{ .Release.Namespace }} create job --from=cronjob/{{ $name }}-geoip {{ $name }}-geoip-first
{{- end }}

  helm -n {{ .Release.Namespace }} test {{ .Release.Name }}
{{- if .Values.istio.authorizationPolicy.enabled }}

Istio's mesh config needs the provider that the AuthorizationPolicy names:

  extensionProviders:
    - name: {{ .Values.istio.authorizationPolicy.provider }}
      envoyExtAuthzGrpc:
        service: {{ $name }}-grpc.{{ .Release.Namespace }}.svc.{{ .Values.service.clusterDomain }}
        port: {{ int .Values.service.grpc.port }}
        timeout: 0.25s
        failOpen: false
        statusOnError: "503"
{{- end }}
{{- if and (include "countersign.anonymous" .) .Values.config.allowAnonymous }}

WARNING: no PEP authentication. Whoever reaches the Services may ask, and is believed what its pep trusts. Name the gateways in config.peps.
{{- end }}
{{- range $unused := include "countersign.unused" . | fromYamlArray }}

WARNING: {{ $unused }}: it is not used.
{{- end }}
{{- $many := or .Values.autoscaling.enabled (gt (int .Values.replicas) 1) }}
{{- if and (eq .Values.redis.mode "none") $many (ne (default "memory" (.Values.config.store | default dict).kind) "redis") }}

WARNING: counters are in memory, and there is more than one replica. Each counts for itself: limits let through as many times as much as there are
replicas, and a proof that was used at one is new to the others. Set redis.mode.
{{- end }}
{{- if and .Values.networkPolicy.enabled (eq .Values.redis.mode "none") (eq (default "memory" (.Values.config.store | default dict).kind) "redis") }}

WARNING: config.store names Redis, and redis.mode does not: networkPolicy.egress has to let it be reached.
{{- end }}
{{- if and (not .Values.sidecar.enabled) (not .Values.istio.inMesh.enabled) (not (and $tls $grpcTls)) }}

WARNING: no TLS on {{ if not (or $tls $grpcTls) }}http and grpc{{ else if $tls }}grpc{{ else }}http{{ end }}. Tokens and decisions can be read and changed between gateway and service. Set tls or certificate, or let a mesh encrypt.
{{- end }}
{{- if eq .Values.redis.mode "dev" }}

WARNING: the Redis of redis.mode dev has no password, no replica and keeps nothing. It is for trying things.
{{- end }}
{{- if not .Values.networkPolicy.enabled }}

WARNING: no NetworkPolicy. Any pod of the cluster reaches the listeners.
{{- end }}
{{- end }}

{{/* What is named and switched off, as a list of texts. */}}
{{- define "countersign.unused" -}}
{{- $unused := list -}}
{{- with .Values.redis -}}
{{- if and (eq .mode "none") (or .host .nodes .urlSecret.name .auth.secret) -}}
{{- $unused = append $unused "redis names a Redis, and redis.mode is none" -}}
{{- end -}}
{{- end -}}
{{- with .Values.policies -}}
{{- $named := dict "configMap" (or .configMap.name .configMap.bundleBase64) "volume" .volume.source "url" .url.bundle -}}
{{- range $source, $value := $named -}}
{{- if and $value (ne $source $.Values.policies.source) -}}
{{- $unused = append $unused (printf "policies.%s names a policy, and policies.source is %s" $source $.Values.policies.source) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toYaml $unused -}}
{{- end }}
