{{/* The directory with workflows and standards, in the pod. */}}
{{- define "lockstep.contentDir" -}}
{{- $root := get (dict "image" "/usr/share/lockstep/content" "git" "/content/git/current") .Values.content.source | default "/content" }}
{{- $path := .Values.content.path | trimAll "/" }}
{{- if $path }}{{ $root }}/{{ $path }}{{ else }}{{ $root }}{{ end }}
{{- end }}

{{- define "lockstep.scraped" -}}
{{- if has .Values.telemetry.metrics (list "prometheus" "both") }}true{{ end }}
{{- end }}

{{/* Names under which the server is called from outside the pod: it answers no others. */}}
{{- define "lockstep.hosts" -}}
{{- $root := .root }}
{{- $namespace := $root.Release.Namespace }}
{{- range $track := include "lockstep.tracks" $root | fromYamlArray }}
{{- $name := include "lockstep.trackname" (dict "root" $root "track" $track) }}
- {{ $name }}
- {{ $name }}.{{ $namespace }}
- {{ $name }}.{{ $namespace }}.svc
- {{ $name }}.{{ $namespace }}.svc.cluster.local
{{- end }}
{{- if $root.Values.gateway.enabled }}
{{- range $root.Values.gateway.hostnames }}
- {{ . | quote }}
{{- end }}
{{- end }}
{{- if $root.Values.ingress.enabled }}
{{- range $root.Values.ingress.hosts }}
- {{ . | quote }}
{{- end }}
{{- end }}
{{- end }}

{{/* The server's own file for a track: the chart's defaults, then `config`, then what it owns. */}}
{{- define "lockstep.config" -}}
{{- $values := .root.Values }}
{{- $config := dict "log" (dict "format" "json") "search" (dict "workers" 2) }}
{{- if ne $values.content.source "image" }}
{{- /* Kubernetes swaps the links of such volumes, of which not every file system gives notice. */}}
{{- $_ := set $config.search "poll_secs" 10 }}
{{- end }}
{{- if $values.telemetry.otlp.endpoint }}
{{- /* Not OTEL_TRACES_SAMPLER, by which any caller could have everything recorded. */}}
{{- $_ := set $config "telemetry" (dict "sample_ratio" $values.telemetry.otlp.sampleRatio) }}
{{- end }}
{{- $config = mergeOverwrite $config (deepCopy $values.config) }}
{{- if eq .track "canary" }}
{{- $config = mergeOverwrite $config (deepCopy $values.tracks.canary.config) }}
{{- end }}
{{- $address := contains ":" $values.bindAddress | ternary (printf "[%s]" $values.bindAddress) $values.bindAddress }}
{{- $hosts := concat (include "lockstep.hosts" . | fromYamlArray) (dig "http" "allowed_hosts" list $config) | uniq }}
{{- $own := dict
  "transport" "http"
  "listen" (printf "%s:8080" $address)
  "admin" (dict "listen" (printf "%s:8081" $address))
  "content" (include "lockstep.contentDir" .root)
  "assets" "/usr/share/lockstep/assets"
  "drain_secs" $values.shutdown.drainSeconds
  "http" (dict "allowed_hosts" $hosts)
  "search" (dict "cache" "/var/cache/lockstep/vectors")
}}
{{- if eq $values.state.kind "files" }}
{{- $_ := set $own "state" "file:///var/lib/lockstep/state" }}
{{- end }}
{{- if include "lockstep.scraped" .root }}
{{- $_ := set $own "telemetry" (dict "prometheus" true) }}
{{- end }}
{{- include "lockstep.auth" (dict "values" $values "own" $own) }}
{{- if $values.safeMode }}
{{- $_ := set $own.http "legacy_sessions" false }}
{{- $_ := set $own "workflow" (dict "authoring" false) }}
{{- end }}
{{- mergeOverwrite $config $own | toYaml }}
{{- end }}

{{/* Adds to `own` what callers have to show. Tokens are in a Secret, which is a volume. */}}
{{- define "lockstep.auth" -}}
{{- $jwt := .values.auth.jwt }}
{{- if eq .values.auth.mode "tokens" }}
{{- $_ := set .own "auth" (dict "mode" "tokens" "tokens_file" "/etc/lockstep-tokens/tokens.yaml") }}
{{- else if eq .values.auth.mode "jwt" }}
{{- $settings := dict "issuer" $jwt.issuer "principal_claim" $jwt.principalClaim }}
{{- range $setting, $value := dict "audience" $jwt.audience "jwks_url" $jwt.jwksUrl "required_scope" $jwt.requiredScope }}
{{- if $value }}
{{- $_ := set $settings $setting $value }}
{{- end }}
{{- end }}
{{- $_ := set .own "auth" (dict "mode" "jwt" "jwt" $settings) }}
{{- $_ := set .own.http "public_url" $jwt.publicUrl }}
{{- end }}
{{- end }}

{{/* What makes a pod another pod: a change here rolls it. */}}
{{- define "lockstep.checksum" -}}
{{- $state := .root.Values.state.postgres | toJson }}
{{- $files := .root.Values.content.files | toJson }}
{{- printf "%s%s%s" (include "lockstep.config" .) $state $files | sha256sum }}
{{- end }}
