import { render } from "preact";
import "uplot/dist/uPlot.min.css";
import "./style/tokens.css";
import "./style/frame.css";
import "./style/parts.css";
import "./style/tables.css";
import "./style/views.css";
import "./style/explorer.css";
import "./style/event.css";
import "./style/events.css";
import "./style/statistics.css";
import { App } from "./app";
import { follow } from "./lib/theme";

follow();
const place = document.getElementById("page");
if (place) render(<App />, place);
