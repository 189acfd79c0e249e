// The frame around every page, and which page belongs to which path.
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense } from "react";
import { Link, Route, Switch, useLocation } from "wouter";
import icon from "./icon.svg";
import { ApiError, get } from "./lib/api";
import { useLive, useStreamState } from "./lib/live";
import type { Session } from "./lib/types";
import { load } from "./pages/load";
import { Empty, Loading, NoEntry } from "./ui/parts";
import { setTheme, type Theme, useTheme } from "./ui/theme";

const SweepsPage = lazy(load.sweeps);
const NewSweepPage = lazy(load.newSweep);
const SweepPage = lazy(load.sweep);
const EditSweepPage = lazy(load.editSweep);
const TrialPage = lazy(load.trial);
const DataPage = lazy(load.data);
const WorkersPage = lazy(load.workers);

const PAGES: [path: string, name: string, also: string[]][] = [
  ["/", "Sweeps", ["/sweeps", "/trials"]],
  ["/data", "Data", []],
  ["/workers", "Workers", []],
];

export function App() {
  useLive();
  const session = useQuery({ queryKey: ["session"], queryFn: ({ signal }) => get<Session>("/session", signal), staleTime: Infinity });
  const locked = session.error instanceof ApiError && session.error.status === 401;
  return (
    <>
      <a className="skip" href="#main">Skip to the content</a>
      <TopBar readOnly={session.data?.may === "read"} />
      <main id="main" tabIndex={-1}>
        {locked ? <NoEntry /> : (
          <Suspense fallback={<Loading />}>
            <Switch>
              <Route path="/" component={SweepsPage} />
              <Route path="/sweeps/new" component={NewSweepPage} />
              <Route path="/sweeps/:id/edit">{({ id }) => <EditSweepPage id={id} key={id} />}</Route>
              <Route path="/sweeps/:id">{({ id }) => <SweepPage id={id} key={id} />}</Route>
              <Route path="/trials/:id">{({ id }) => <TrialPage id={id} key={id} />}</Route>
              <Route path="/data/:name?">{({ name }) => <DataPage name={name} />}</Route>
              <Route path="/workers" component={WorkersPage} />
              <Route><Empty title="There is no such page"><Link href="/">All sweeps</Link></Empty></Route>
            </Switch>
          </Suspense>
        )}
      </main>
    </>
  );
}

function TopBar({ readOnly }: { readOnly: boolean }) {
  const [at] = useLocation();
  return (
    <header className="topbar">
      <Link href="/" className="brand"><img src={icon} alt="" /><span>sweepd</span></Link>
      <nav aria-label="pages">
        {PAGES.map(([path, name, also]) => {
          const here = at === path || [path, ...also].some((p) => p !== "/" && at.startsWith(p));
          return <Link key={path} href={path} aria-current={here ? "page" : undefined}>{name}</Link>;
        })}
      </nav>
      <div className="side">
        {readOnly && <span className="tag" title="This browser came in with a read-only token">read only</span>}
        <Live />
        <ThemeButton />
      </div>
    </header>
  );
}

function Live() {
  const state = useStreamState();
  const words = { open: "live", connecting: "connecting", down: "not live" }[state];
  const hint = { open: "Changes appear as they happen", connecting: "Waiting for the daemon's events", down: "The daemon's events do not come: it is tried again" }[state];
  return <span className={`live ${state}`} title={hint} role="status" aria-label={words}><span>{words}</span></span>;
}

const NEXT: Record<Theme, Theme> = { auto: "light", light: "dark", dark: "auto" };
const SIGN: Record<Theme, string> = { auto: "◐", light: "○", dark: "●" };

function ThemeButton() {
  const theme = useTheme();
  return <button className="plain" onClick={() => setTheme(NEXT[theme])} aria-label={`theme: ${theme}; change`} title={`theme: ${theme}`}>{SIGN[theme]} <span className="wide-only">{theme}</span></button>;
}
