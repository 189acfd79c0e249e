import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createRoot } from "react-dom/client";
import { App } from "./App";
import { ApiError } from "./lib/api";
import { connect } from "./lib/live";

const client = new QueryClient({
  defaultOptions: {
    queries: {
      // The event stream says what is outdated: nothing is asked for again without a reason.
      staleTime: Infinity,
      refetchOnWindowFocus: false,
      // What the daemon refused it will refuse again; a daemon that is away may come back.
      retry: (failures, error) => failures < 3 && error instanceof ApiError && error.status === 0,
    },
  },
});

connect();
createRoot(document.getElementById("root")!).render(
  <QueryClientProvider client={client}>
    <App />
  </QueryClientProvider>,
);
