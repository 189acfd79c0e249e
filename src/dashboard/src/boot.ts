// The first code of a page: everything that it needs is asked for at once, instead of one after the other.
import "./styles.css";
import { askEarly, wanted } from "./lib/early";
import { pageAt } from "./pages/load";

void import("./main");
void pageAt(location.pathname)?.();
askEarly(wanted(location));
