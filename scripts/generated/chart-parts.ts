// Forms that the values of the Helm chart are put together from.
import { z } from 'zod';

/** A section whose keys are the chart's own: any other is refused. */
export const part = <S extends z.ZodRawShape>(shape: S, about: string) => z.strictObject(shape).partial().describe(about);
/** A form of Kubernetes' own, handed on as it is: the API server judges it. */
export const handedOn = (about: string) => z.record(z.string(), z.unknown()).describe(about);
export const handedOnList = (about: string) => z.array(z.record(z.string(), z.unknown())).describe(about);
export const texts = (about: string) => z.record(z.string(), z.string()).describe(about);
export const text = (about: string) => z.string().describe(about);
export const flag = (about: string) => z.boolean().describe(about);
export const count = (least: number, about: string) => z.int().min(least).max(2_147_483_647).describe(about);
export const port = (about: string) => z.int().min(1).max(65_535).describe(about);

export const SERVICE_TYPE = z.enum(['ClusterIP', 'NodePort', 'LoadBalancer']).describe('Type of the Service.');
export const HOST_PORT = z.string().regex(/^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}$/);
export const DURATION = z.string().regex(/^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$/);
export const FILE_NAME = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/);
export const VARIABLE = z.string().regex(/^COUNTERSIGN_[A-Z0-9_]+$/);

export const secretKey = (about: string) => part({ name: text('Name of the Secret.'), key: text('Key in it.') }, about);
