/** The toxics of one proxy, as its API shows them. */
import type { JsonValue } from '../../../harness/core/json.ts';
import { ApiError } from './api-error.ts';
import { TOXICS } from './toxics/registry.ts';
import type { Attributes, StreamName, ToxicKind } from './toxics/toxic.ts';

/** One toxic of a proxy; connections look at it when they start its stage. */
export interface Toxic {
  readonly name: string;
  readonly kind: ToxicKind;
  readonly stream: StreamName;
  /** The stream as it was written: `UPSTREAM` stays so. */
  readonly streamText: string;
  toxicity: number;
  attributes: Attributes;
}

/** Key order as the original prints it. */
export interface ToxicJson {
  readonly attributes: Attributes;
  readonly name: string;
  readonly type: string;
  readonly stream: string;
  readonly toxicity: number;
}

export function toxicJson({ attributes, name, kind, streamText, toxicity }: Toxic): ToxicJson {
  return { attributes, name, type: kind.type, stream: streamText, toxicity };
}

type JsonObject = Readonly<Record<string, JsonValue | undefined>>;

/** Reads the body of `POST .../toxics`; throws what the original answers. */
export function toxicFrom(body: JsonObject): Toxic {
  const streamText = textOf(body, 'stream') ?? 'downstream';
  const stream = streamText.toLowerCase();
  if (stream !== 'upstream' && stream !== 'downstream')
    throw new ApiError(400, 'stream was invalid, can be either upstream or downstream');
  const type = textOf(body, 'type') ?? '';
  const kind = TOXICS.get(type);
  if (kind === undefined) throw new ApiError(400, 'invalid toxic type');
  const name = textOf(body, 'name') ?? '';
  return {
    name: name === '' ? `${type}_${streamText}` : name,
    kind,
    stream,
    streamText,
    toxicity: numberOf(body, 'toxicity') ?? 1,
    attributes: attributesFrom(body, kind.defaults),
  };
}

/** Takes over what an update says: attributes are merged, nothing but toxicity goes with them. */
export function updateToxic(toxic: Toxic, body: JsonObject): void {
  const attributes = attributesFrom(body, toxic.attributes);
  toxic.toxicity = numberOf(body, 'toxicity') ?? toxic.toxicity;
  toxic.attributes = attributes;
}

function attributesFrom(body: JsonObject, before: Attributes): Attributes {
  const given = body['attributes'] ?? {};
  if (typeof given !== 'object' || Array.isArray(given))
    throw new ApiError(400, 'bad request body: attributes must be an object');
  const attributes = given as JsonObject;
  return Object.fromEntries(
    Object.entries(before).map(([name, value]) => {
      const wish = numberOf(attributes, name) ?? value;
      if (!Number.isInteger(wish))
        throw new ApiError(400, `bad request body: attribute ${name} must be a whole number`);
      return [name, wish];
    }),
  );
}

function textOf(body: JsonObject, name: string): string | undefined {
  const value = body[name] ?? undefined;
  if (value === undefined || typeof value === 'string') return value;
  throw new ApiError(400, `bad request body: ${name} must be a string`);
}

function numberOf(body: JsonObject, name: string): number | undefined {
  const value = body[name] ?? undefined;
  if (value === undefined || typeof value === 'number') return value;
  throw new ApiError(400, `bad request body: ${name} must be a number`);
}
