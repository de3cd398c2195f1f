// The objects of other projects that the chart can make: just the fields that it uses. `npm run verify:cluster` holds them against the projects' own definitions.
import { z } from 'zod';

const texts = z.record(z.string(), z.string());
const metadata = z.strictObject({ name: z.string(), namespace: z.string().optional(), labels: texts });
const of = <S extends z.ZodType>(apiVersion: string, kind: string, spec: S) =>
  z.strictObject({ apiVersion: z.literal(apiVersion), kind: z.literal(kind), metadata, spec });
const reference = z.strictObject({ group: z.string(), kind: z.string(), name: z.string() });
const duration = z.string().regex(/^([0-9]+(ms|s|m|h))+$/);

const certificate = z.strictObject({
  secretName: z.string(),
  issuerRef: z.strictObject({ name: z.string().min(1), kind: z.enum(['Issuer', 'ClusterIssuer']), group: z.string() }),
  duration,
  renewBefore: duration,
  privateKey: z.strictObject({ algorithm: z.literal('ECDSA'), size: z.literal(256), rotationPolicy: z.literal('Always') }),
  usages: z.array(z.enum(['digital signature', 'server auth', 'client auth'])),
  dnsNames: z.array(z.string().min(1)).min(1),
});
const serviceMonitor = z.strictObject({
  selector: z.strictObject({ matchLabels: texts }),
  namespaceSelector: z.strictObject({ matchNames: z.array(z.string()) }),
  endpoints: z.array(z.strictObject({ port: z.string(), path: z.string(), interval: duration })),
});
const rule = z.strictObject({
  alert: z.string().regex(/^Countersign[A-Za-z]+$/),
  expr: z.string().min(1),
  for: duration.optional(),
  labels: z.strictObject({ severity: z.enum(['info', 'warning', 'critical']) }),
  annotations: z.strictObject({ summary: z.string(), description: z.string() }),
});
const prometheusRule = z.strictObject({ groups: z.array(z.strictObject({ name: z.string(), rules: z.array(rule).min(1) })) });
const authorizationPolicy = z.strictObject({
  action: z.enum(['CUSTOM', 'ALLOW']),
  provider: z.strictObject({ name: z.string() }).optional(),
  selector: z.strictObject({ matchLabels: texts }).optional(),
  rules: z.array(z.strictObject({ from: z.array(z.unknown()), to: z.array(z.unknown()), when: z.array(z.unknown()) }).partial()),
});
const sidecar = z.strictObject({
  workloadSelector: z.strictObject({ labels: texts }),
  ingress: z.array(
    z.strictObject({
      port: z.strictObject({ number: z.int(), protocol: z.enum(['GRPC', 'HTTP']), name: z.string() }),
      defaultEndpoint: z.string().regex(/^127\.0\.0\.1:[0-9]+$/),
    }),
  ),
});
const peerAuthentication = z.strictObject({
  selector: z.strictObject({ matchLabels: texts }),
  mtls: z.strictObject({ mode: z.literal('STRICT') }),
  portLevelMtls: z.record(z.string().regex(/^[0-9]+$/), z.strictObject({ mode: z.literal('PERMISSIVE') })),
});
const destinationRule = z.strictObject({
  host: z.string(),
  trafficPolicy: z.strictObject({
    loadBalancer: z.strictObject({ simple: z.literal('LEAST_REQUEST') }),
    connectionPool: z.strictObject({ http: z.strictObject({ http2MaxRequests: z.int(), maxRetries: z.int() }) }),
    tls: z
      .strictObject({
        mode: z.enum(['DISABLE', 'SIMPLE', 'MUTUAL', 'ISTIO_MUTUAL']),
        credentialName: z.string().optional(),
        sni: z.string().optional(),
        subjectAltNames: z.array(z.string()).optional(),
      })
      .optional(),
  }),
});
const securityPolicy = z.strictObject({
  targetRefs: z.array(reference).min(1),
  extAuth: z.strictObject({
    failOpen: z.literal(false),
    statusOnError: z.literal(503),
    timeout: duration,
    bodyToExtAuth: z.strictObject({ maxRequestBytes: z.int().min(1) }).optional(),
    grpc: z.strictObject({
      backendRefs: z.array(z.strictObject({ ...reference.shape, port: z.int() })),
      backendSettings: z.strictObject({
        healthCheck: z.strictObject({
          active: z.strictObject({
            type: z.literal('GRPC'),
            grpc: z.strictObject({ service: z.string() }),
            timeout: duration,
            interval: duration,
            unhealthyThreshold: z.int(),
            healthyThreshold: z.int(),
          }),
        }),
        circuitBreaker: z.strictObject({ maxPendingRequests: z.int(), maxParallelRequests: z.int(), maxParallelRetries: z.int() }),
        retry: z.strictObject({ numRetries: z.int(), retryOn: z.strictObject({ triggers: z.array(z.string()) }) }),
      }),
    }),
  }),
});
const backendTlsPolicy = z.strictObject({
  targetRefs: z.array(reference),
  validation: z.strictObject({ hostname: z.string(), caCertificateRefs: z.array(reference) }),
});
const referenceGrant = z.strictObject({
  from: z.array(z.strictObject({ group: z.string(), kind: z.string(), namespace: z.string() })),
  to: z.array(reference),
});

/** By `apiVersion kind`. */
export const CUSTOM_RESOURCES: Readonly<Record<string, z.ZodType>> = {
  'cert-manager.io/v1 Certificate': of('cert-manager.io/v1', 'Certificate', certificate),
  'monitoring.coreos.com/v1 ServiceMonitor': of('monitoring.coreos.com/v1', 'ServiceMonitor', serviceMonitor),
  'monitoring.coreos.com/v1 PrometheusRule': of('monitoring.coreos.com/v1', 'PrometheusRule', prometheusRule),
  'security.istio.io/v1 AuthorizationPolicy': of('security.istio.io/v1', 'AuthorizationPolicy', authorizationPolicy),
  'networking.istio.io/v1 DestinationRule': of('networking.istio.io/v1', 'DestinationRule', destinationRule),
  'networking.istio.io/v1 Sidecar': of('networking.istio.io/v1', 'Sidecar', sidecar),
  'security.istio.io/v1 PeerAuthentication': of('security.istio.io/v1', 'PeerAuthentication', peerAuthentication),
  'gateway.envoyproxy.io/v1alpha1 SecurityPolicy': of('gateway.envoyproxy.io/v1alpha1', 'SecurityPolicy', securityPolicy),
  'gateway.networking.k8s.io/v1 BackendTLSPolicy': of('gateway.networking.k8s.io/v1', 'BackendTLSPolicy', backendTlsPolicy),
  'gateway.networking.k8s.io/v1beta1 ReferenceGrant': of('gateway.networking.k8s.io/v1beta1', 'ReferenceGrant', referenceGrant),
};
