// Values of the Helm chart about the cluster: how many run and where, who may reach them, who watches them, what they are joined to.
import { z } from 'zod';
import { count, DURATION, flag, handedOn, handedOnList, part, port, SERVICE_TYPE, secretKey, text, texts } from './chart-parts.ts';

export const CLUSTER_FORMS = {
  replicas: count(0, 'Pods, where no autoscaling is on.'),
  resources: handedOn('Resources of the container.'),
  autoscaling: part(
    {
      enabled: flag('A HorizontalPodAutoscaler.'),
      minReplicas: count(1, 'Least pods.'),
      maxReplicas: count(1, 'Most pods.'),
      cpuPercent: z.int().min(0).max(1000).describe('Percent of the requested CPU to aim at; 0: not by CPU.'),
      custom: part(
        { metric: text('Name of a metric of pods; empty: none.'), averageValue: text('What to aim at.') },
        'By a custom metric.',
      ),
      behavior: handedOn('How fast.'),
    },
    'How many pods, by load.',
  ),
  podDisruptionBudget: part(
    {
      enabled: flag('A PodDisruptionBudget.'),
      maxUnavailable: z.union([z.int().min(0), z.string().regex(/^[0-9]{1,3}%$/)]).describe('Pods that may be away on purpose.'),
    },
    'What an eviction leaves.',
  ),
  topologySpreadConstraints: handedOnList('Empty: over nodes and zones, as well as can be.'),
  nodeSelector: texts('Nodes to run on.'),
  tolerations: handedOnList('Taints to run in spite of.'),
  affinity: handedOn('Affinity.'),
  priorityClassName: text('Priority.'),
  lifecycle: part(
    {
      preStopSeconds: z.int().min(0).max(600).describe('Pause before SIGTERM, in which endpoints are taken away.'),
      terminationGracePeriodSeconds: z
        .int()
        .min(0)
        .max(3600)
        .describe('0: computed from the pause and `config.drain`; what is too short is refused.'),
    },
    'How a pod ends.',
  ),
  service: part(
    {
      http: part(
        { type: SERVICE_TYPE, port: port('Its port.'), annotations: texts('Its annotations.') },
        'Forward auth, AuthZEN, `/decide`.',
      ),
      grpc: part(
        {
          type: SERVICE_TYPE,
          port: port('Its port.'),
          headless: flag('A second Service, `<name>-grpc-headless`, whose clients see each pod.'),
          annotations: texts('Its annotations.'),
        },
        'ext_authz.',
      ),
      operations: part(
        { port: port('Its port: that of `config.operations`.'), annotations: texts('Its annotations.') },
        'Probes, metrics, admin API: headless.',
      ),
      clusterDomain: text('Domain of the cluster.'),
    },
    'The Services.',
  ),
  networkPolicy: part(
    {
      enabled: flag('A NetworkPolicy.'),
      askers: handedOnList('Peers that may ask.'),
      operators: handedOnList('Peers that may scrape and administrate.'),
      egress: handedOnList('What it may reach beside DNS and Redis.'),
      redis: handedOnList('Peers among which Redis is; empty: its port anywhere.'),
    },
    'Who may reach it, and what it may reach.',
  ),
  monitoring: part(
    {
      serviceMonitor: part(
        { enabled: flag('A ServiceMonitor.'), interval: DURATION.describe('How often.'), labels: texts('Its labels.') },
        'Scrapes, by the Prometheus Operator.',
      ),
      prometheusRule: part({ enabled: flag('A PrometheusRule of `files/alerts.yaml`.'), labels: texts('Its labels.') }, 'Alerts.'),
      dashboard: part(
        { enabled: flag('A ConfigMap of `files/dashboard.json`.'), labels: texts('Its labels.') },
        'A dashboard for Grafana.',
      ),
    },
    'Who watches it.',
  ),
  istio: part(
    {
      authorizationPolicy: part(
        {
          enabled: flag('An AuthorizationPolicy with the action CUSTOM.'),
          provider: text('The provider in the mesh config.'),
          selector: texts('Labels of the gateway; null: the whole namespace.'),
          namespace: text('Where the gateway is; empty: here.'),
          rules: handedOnList('Requests to ask about.'),
        },
        'Makes a gateway ask.',
      ),
      destinationRule: part(
        { enabled: flag('A DestinationRule.'), tls: handedOn('`trafficPolicy.tls`.') },
        'How proxies reach the gRPC Service.',
      ),
      inMesh: part(
        {
          enabled: flag('A Sidecar, a PeerAuthentication and an AuthorizationPolicy for Countersign itself, which listens on loopback.'),
          principals: z.array(z.string()).describe('Identities that may ask: `cluster.local/ns/<namespace>/sa/<account>`.'),
        },
        'Countersign in the mesh.',
      ),
    },
    'Istio.',
  ),
  envoyGateway: part(
    {
      securityPolicy: part(
        {
          enabled: flag('A SecurityPolicy with extAuth.'),
          targetRefs: handedOnList('Gateways or HTTPRoutes of this namespace.'),
          timeout: DURATION.describe('At least 50 ms above `config.decisions.deadlineMs`.'),
          bodyMaxBytes: count(0, 'Bytes of the body to send along; 0: none.'),
        },
        'Makes Envoy ask.',
      ),
      backendTlsPolicy: part(
        {
          enabled: flag('A BackendTLSPolicy.'),
          ca: part(
            { kind: z.enum(['ConfigMap', 'Secret']).describe('Kind of it.'), name: text('Its name.') },
            'The CA of our certificate.',
          ),
        },
        'Envoy reaches the gRPC listener by TLS.',
      ),
      referenceGrants: z.array(z.string()).describe('Namespaces whose SecurityPolicies may name the gRPC Service.'),
    },
    'Envoy Gateway.',
  ),
  sidecar: part(
    {
      enabled: flag('Run beside a gateway of yours, in one pod.'),
      containers: handedOnList("The gateway's containers."),
      volumes: handedOnList('Their volumes.'),
      files: texts('Files of the volume `gateway-files`.'),
      ports: z
        .array(
          z.strictObject({
            name: z.string(),
            port: z.int(),
            targetPort: z.union([z.int(), z.string()]),
            appProtocol: z.string().optional(),
          }),
        )
        .describe('Ports of the Service, which lead to the gateway.'),
    },
    'Beside a gateway.',
  ),
  podSecurityContext: handedOn('Security context of the pods.'),
  securityContext: handedOn('Security context of the containers.'),
  serviceAccount: part(
    { create: flag('Make one, without a token.'), name: text('Its name.'), annotations: texts('Its annotations.') },
    'Whom the pods run as.',
  ),
  nameOverride: text("In place of the chart's name."),
  fullnameOverride: text('In place of the name of everything.'),
  commonLabels: texts('Labels of every object.'),
  podLabels: texts('Further labels of the pods.'),
  podAnnotations: texts('Further annotations of the pods.'),
  extraEnv: handedOnList('Further variables.'),
  extraVolumes: handedOnList('Further volumes.'),
  extraVolumeMounts: handedOnList('Further mounts.'),
  test: part({ tokenSecret: secretKey('Token of a gateway; empty: `helm test` expects to be refused.') }, 'What `helm test` shows.'),
} as const;
