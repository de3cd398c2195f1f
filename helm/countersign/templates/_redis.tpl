{{/* Variables that hold a sign-in, from a Secret: (list <prefix of the names> <auth>) */}}
{{- define "countersign.redisSignIn" -}}
{{- $prefix := index . 0 -}}
{{- $auth := index . 1 -}}
{{- if $auth.secret -}}
{{- if $auth.userKey }}
- name: {{ $prefix }}_USER
  valueFrom: { secretKeyRef: { name: {{ quote $auth.secret }}, key: {{ quote $auth.userKey }} } }
{{- end }}
- name: {{ $prefix }}_PASSWORD
  valueFrom: { secretKeyRef: { name: {{ quote $auth.secret }}, key: {{ quote $auth.passwordKey }} } }
{{- end -}}
{{- end }}

{{/* The same as the part of a URL before the host; Kubernetes puts the values in. */}}
{{- define "countersign.redisUserInfo" -}}
{{- $prefix := index . 0 -}}
{{- $auth := index . 1 -}}
{{- if $auth.secret -}}
{{- if $auth.userKey -}}$({{ $prefix }}_USER){{- end -}}:$({{ $prefix }}_PASSWORD)@
{{- end -}}
{{- end }}

{{/* How the pod finds Redis; the addresses come by the environment, since they hold passwords. */}}
{{- define "countersign.redisEnv" -}}
{{- $name := include "countersign.fullname" . -}}
{{- with .Values.redis -}}
{{- $scheme := ternary "rediss" "redis" .tls.enabled -}}
{{- $info := include "countersign.redisUserInfo" (list "REDIS" .auth) -}}
{{- if eq .mode "dev" }}
- name: COUNTERSIGN_STORE_URL
  value: redis://{{ $name }}-redis:6379/0
{{- else if ne .mode "none" }}
{{- include "countersign.redisSignIn" (list "REDIS" .auth) }}
- name: COUNTERSIGN_STORE_URL
{{- if .urlSecret.name }}
  valueFrom: { secretKeyRef: { name: {{ quote .urlSecret.name }}, key: {{ quote .urlSecret.key }} } }
{{- else if eq .mode "sentinel" }}
  value: {{ printf "%s://%s%s/%d" $scheme $info .masterName (int .database) | quote }}
{{- else if eq .mode "cluster" }}
  value: {{ printf "%s://%s%s:%d" $scheme $info .host (int .port) | quote }}
{{- else }}
  value: {{ printf "%s://%s%s:%d/%d" $scheme $info .host (int .port) (int .database) | quote }}
{{- end }}
{{- if eq .mode "sentinel" }}
{{- $sentinelInfo := include "countersign.redisUserInfo" (list "REDIS_SENTINEL" .sentinelAuth) }}
{{- include "countersign.redisSignIn" (list "REDIS_SENTINEL" .sentinelAuth) }}
{{- $urls := list }}
{{- range .nodes }}{{- $urls = append $urls (printf "%s://%s%s" $scheme $sentinelInfo .) }}{{- end }}
- name: COUNTERSIGN_STORE_SENTINELS
  value: {{ toJson $urls | quote }}
{{- else if eq .mode "cluster" }}
{{- $urls := list }}
{{- range .nodes }}{{- $urls = append $urls (printf "%s://%s%s" $scheme $info .) }}{{- end }}
- name: COUNTERSIGN_STORE_CLUSTER
  value: {{ toJson $urls | quote }}
{{- end }}
{{- if or .tls.ca.secret .tls.ca.configMap }}
- name: NODE_EXTRA_CA_CERTS
  value: /etc/countersign/redis-ca/ca.crt
{{- end }}
{{- end }}
{{- end -}}
{{- end }}
