/** What the engine tells while it builds, imports or pulls. */
import type { Engine } from './engine.ts';

/** One thing it tells. See the engine's API: `POST /images/create`, `POST /build`. */
export interface Progress {
  /** Output of a build. */
  readonly stream?: string;
  readonly status?: string;
  /** The layer. */
  readonly id?: string;
  readonly error?: string;
  /** Of the finished image. */
  readonly aux?: { readonly ID?: string };
}

/** Resolves with everything it told once it is done; throws an `Error` with what it says went wrong. */
export async function followed(
  { docker }: Engine,
  stream: NodeJS.ReadableStream,
  tell: (progress: Progress) => void,
): Promise<readonly Progress[]> {
  return await new Promise((resolve, reject) => {
    docker.modem.followProgress(
      stream,
      (error: Error | null, told: Progress[] | null) => {
        const failed = told?.find(({ error: text }) => text !== undefined)?.error;
        if (error !== null && error !== undefined) reject(error);
        else if (failed !== undefined) reject(new Error(failed));
        else resolve(told ?? []);
      },
      tell,
    );
  });
}
