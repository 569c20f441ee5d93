import type { VNode } from 'preact';
import { useState } from 'preact/hooks';

/** Says what became of it in its own label, which is read aloud. */
export function CopyButton({
  text,
  label = 'Copy',
}: {
  text: string | (() => string);
  label?: string;
}): VNode {
  const [said, setSaid] = useState('');
  return (
    <button
      type="button"
      class="copy"
      aria-live="polite"
      onClick={() => {
        const all = typeof text === 'string' ? text : text();
        void copied(all).then((done) => setSaid(done ? 'Copied' : 'Press Ctrl+C'));
      }}
      onBlur={() => setSaid('')}
    >
      {/* Both take their place: a button that shrinks moves the next one away from the pointer. */}
      <span class={said === '' ? '' : 'away'}>{label}</span>
      <span>{said}</span>
    </button>
  );
}

/** Files have no clipboard in some browsers: there the old way is tried. */
async function copied(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement('textarea');
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    return done;
  }
}
