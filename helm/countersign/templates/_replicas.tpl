{{/*
The number of pods that is written in spite of an autoscaler; empty: none, it is the autoscaler's alone. Where Helm once wrote a number and then
writes none, it takes it away, and the API server puts 1 in its place until the autoscaler looks again. So a release that was not scaled from its
beginning goes on writing the number that it finds. Without a cluster (`helm template`) there is none to find.
*/}}
{{- define "countersign.keptReplicas" -}}
{{- $name := include "countersign.fullname" . -}}
{{- if .Values.autoscaling.enabled -}}
{{- with lookup "apps/v1" "Deployment" .Release.Namespace $name -}}
{{- $isScaled := lookup "autoscaling/v2" "HorizontalPodAutoscaler" $.Release.Namespace $name -}}
{{- if or (not $isScaled) (index (.metadata.annotations | default dict) "countersign/keeps-replicas") -}}
{{- max (int .spec.replicas) (int $.Values.autoscaling.minReplicas) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}
