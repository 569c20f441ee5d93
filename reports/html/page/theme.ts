/** Light and dark: the system's choice, unless the reader chose. */

export type Theme = 'auto' | 'light' | 'dark';

const NAMES = [
  'bg',
  'fg',
  'muted',
  'line',
  'grid',
  'panel',
  'ok',
  'info',
  'fail',
  'max',
  'bad',
  'leader',
  'on-leader',
  'follower',
  'learner',
  'f0',
  'f1',
  'f2',
  'f3',
  'f4',
  'f5',
] as const;

export type Palette = Readonly<Record<(typeof NAMES)[number], string>>;

/** The colours that are in force now, as a canvas understands them. */
export function palette(): Palette {
  const probe = document.createElement('i');
  probe.hidden = true;
  document.body.append(probe);
  const entries = NAMES.map((name) => {
    probe.style.color = `var(--${name})`;
    return [name, getComputedStyle(probe).color] as const;
  });
  probe.remove();
  return Object.fromEntries(entries) as Record<(typeof NAMES)[number], string>;
}

export function setTheme(theme: Theme): void {
  const root = document.documentElement;
  if (theme === 'auto') delete root.dataset['theme'];
  else root.dataset['theme'] = theme;
  // What was drawn before this was drawn in the colours of before.
  root.dispatchEvent(new Event('theme'));
}

/** Calls back when other colours are in force; returns the way to stop. */
export function onTheme(changed: () => void): () => void {
  const media = matchMedia('(prefers-color-scheme: dark)');
  media.addEventListener('change', changed);
  document.documentElement.addEventListener('theme', changed);
  return () => {
    media.removeEventListener('change', changed);
    document.documentElement.removeEventListener('theme', changed);
  };
}
