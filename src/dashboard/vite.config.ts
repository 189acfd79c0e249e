import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// `--mode mock` answers the API from mock/: for work on the pages without a daemon.
export default defineConfig(async ({ mode }) => ({
  plugins: [react(), ...(mode === "mock" ? [(await import("./mock/plugin.ts")).mock()] : [])],
  build: {
    // Nothing is inlined: the content security policy allows no data: scripts or styles.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1000,
  },
  worker: { format: "es" as const },
  test: { include: ["src/**/*.test.ts"] },
}));
