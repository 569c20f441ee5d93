import { defineConfig, type UserConfig } from 'vite';

/** The page's program and its styles become one script, which reports carry within them. */
const config: UserConfig = defineConfig({
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  define: { 'process.env.NODE_ENV': '"production"' },
  build: {
    target: 'es2022',
    outDir: 'reports/html/built',
    emptyOutDir: true,
    copyPublicDir: false,
    lib: {
      entry: 'reports/html/page/main.tsx',
      formats: ['iife'],
      name: 'schismReport',
      fileName: () => 'page.js',
    },
  },
});
export default config;
