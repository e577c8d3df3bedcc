{{/* What cannot work is refused before anything is changed, with what to do. */}}
{{- define "lockstep.refusals" -}}
{{- $values := .Values }}
{{- range $key := list "transport" "listen" "admin" "content" "state" "assets" "drain_secs" "drain_delay_secs" }}
{{- range $where, $config := dict "config" $values.config "tracks.canary.config" $values.tracks.canary.config }}
{{- if hasKey $config $key }}
{{- fail (printf "%s.%s is the chart's: see state, content, shutdown and bindAddress" $where $key) }}
{{- end }}
{{- end }}
{{- end }}
{{- include "lockstep.refusals.auth" . }}
{{- if eq $values.state.kind "files" }}
{{- if gt (int $values.replicas) 1 }}
{{- fail (printf "replicas is %d, but sessions in files belong to one pod: set state.kind to postgres" (int $values.replicas)) }}
{{- end }}
{{- if $values.autoscaling.enabled }}
{{- fail "autoscaling.enabled, but sessions in files belong to one pod: set state.kind to postgres" }}
{{- end }}
{{- if $values.tracks.canary.enabled }}
{{- fail "tracks.canary.enabled, but sessions in files belong to one pod: set state.kind to postgres" }}
{{- end }}
{{- else }}
{{- with $values.state.postgres }}
{{- $ways := list .existingSecret .url (.bundled.enabled | ternary "bundled" "") | compact }}
{{- if ne (len $ways) 1 }}
{{- fail "state.kind is postgres: set exactly one of state.postgres.existingSecret, .url and .bundled.enabled" }}
{{- end }}
{{- if and .bundled.enabled (not .bundled.password) }}
{{- fail "state.postgres.bundled.password is empty: choose one, it must stay the same over upgrades" }}
{{- end }}
{{- end }}
{{- end }}
{{- include "lockstep.refusals.content" . }}
{{- include "lockstep.refusals.reach" . }}
{{- end }}

{{- define "lockstep.refusals.auth" -}}
{{- $auth := .Values.auth }}
{{- range $where, $config := dict "config" .Values.config "tracks.canary.config" .Values.tracks.canary.config }}
{{- range $key := list "mode" "tokens_file" }}
{{- if dig "auth" $key "" $config }}
{{- fail (printf "%s.auth.%s is the chart's: see auth" $where $key) }}
{{- end }}
{{- end }}
{{- end }}
{{- if eq $auth.mode "tokens" }}
{{- if ne (len (list $auth.tokens.existingSecret (keys $auth.tokens.values | join "")| compact)) 1 }}
{{- fail "auth.mode is tokens: set exactly one of auth.tokens.existingSecret and auth.tokens.values" }}
{{- end }}
{{- range $name, $token := $auth.tokens.values }}
{{- if hasPrefix "sha256:" $token }}
{{- fail (printf "auth.tokens.values.%s is a digest: helm test needs a token; put digests into a Secret and name it in auth.tokens.existingSecret" $name) }}
{{- end }}
{{- end }}
{{- else if eq $auth.mode "jwt" }}
{{- if not $auth.jwt.issuer }}
{{- fail "auth.mode is jwt: set auth.jwt.issuer, exactly as its tokens name it" }}
{{- end }}
{{- if not $auth.jwt.publicUrl }}
{{- fail "auth.mode is jwt: set auth.jwt.publicUrl, the address of /mcp that clients use and tokens are for" }}
{{- end }}
{{- end }}
{{- end }}

{{- define "lockstep.refusals.content" -}}
{{- $needs := dict
  "files" (list "content.files" .Values.content.files)
  "configMap" (list "content.configMap.name" .Values.content.configMap.name)
  "claim" (list "content.claim.name" .Values.content.claim.name)
  "ociImage" (list "content.ociImage.reference" .Values.content.ociImage.reference)
  "git" (list "content.git.repository" .Values.content.git.repository)
}}
{{- with get $needs .Values.content.source }}
{{- if not (last .) }}
{{- fail (printf "content.source is %s: set %s" $.Values.content.source (first .)) }}
{{- end }}
{{- end }}
{{- if and (eq .Values.content.source "ociImage") (semverCompare "<1.33.0-0" .Capabilities.KubeVersion.Version) }}
{{- fail (printf "content.source is ociImage, which needs Kubernetes 1.33; this is %s" .Capabilities.KubeVersion.Version) }}
{{- end }}
{{- end }}

{{- define "lockstep.refusals.reach" -}}
{{- $values := .Values }}
{{- if and (or $values.gateway.enabled $values.ingress.enabled) (eq $values.auth.mode "none") (not $values.exposedBehindAuthenticatingProxy) }}
{{- fail "gateway or ingress is enabled, but auth.mode is none: set it to tokens or jwt; or put something that knows its callers in front, and set exposedBehindAuthenticatingProxy to true" }}
{{- end }}
{{- if and $values.gateway.enabled (not $values.gateway.parentRefs) }}
{{- fail "gateway.enabled: set gateway.parentRefs to the Gateway" }}
{{- end }}
{{- if and $values.ingress.enabled (not $values.ingress.hosts) }}
{{- fail "ingress.enabled: set ingress.hosts, of which the server answers no others" }}
{{- end }}
{{- if and $values.telemetry.serviceMonitor.enabled (not (include "lockstep.scraped" .)) }}
{{- fail (printf "telemetry.serviceMonitor.enabled, but telemetry.metrics is %s: set it to prometheus or both" $values.telemetry.metrics) }}
{{- end }}
{{- if and (has $values.telemetry.metrics (list "otlp" "both")) (not $values.telemetry.otlp.endpoint) }}
{{- fail (printf "telemetry.metrics is %s: set telemetry.otlp.endpoint" $values.telemetry.metrics) }}
{{- end }}
{{- end }}
