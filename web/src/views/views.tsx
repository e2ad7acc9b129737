// The views, in the order of their tabs. A new one is an entry here and a folder beside this file.
import type { ComponentType } from "preact";
import type { Status } from "../api/types";
import type { Polled } from "../lib/poll";
import { Charts } from "./charts/charts";
import { Events } from "./events/events";
import { Explorer } from "./explorer/explorer";
import { Overview } from "./overview/overview";
import { Settings } from "./settings/settings";
import { Statistics } from "./statistics/statistics";
import { StatusView } from "./status/status";
import { Talkers } from "./top/talkers";
import { Usage } from "./usage/usage";

export interface ViewProps {
  /** What follows the view's name in the address. */
  parameters: URLSearchParams;
  status: Polled<Status>;
}

export interface View {
  id: string;
  title: string;
  /** An icon of 20 × 20, as the path of an SVG. */
  icon: string;
  component: ComponentType<ViewProps>;
  /** It has no tab until somebody comes by a link. */
  linked?: boolean;
}

export const VIEWS: readonly View[] = [
  { id: "", title: "Overview", icon: "M3 11h5V3H3zm0 6h5v-4H3zm7 0h7v-8h-7zm0-14v4h7V3z", component: Overview },
  { id: "series", title: "Series", icon: "M3 3v14h14M6 12l3-4 3 2 4-6", component: Explorer },
  { id: "events", title: "Events", icon: "M4 4h.1M8 4h9M4 10h.1M8 10h9M4 16h.1M8 16h9", component: Events },
  { id: "usage", title: "Usage", icon: "M3 17h14M5 14v-4m5 4V6m5 8V3", component: Usage },
  {
    id: "statistics",
    title: "Statistics",
    icon: "M3 3h3v3H3zm7 0h7M10 6h4M3 9h3v3H3zm7 1h7M3 15h3v3H3zm7 1h5",
    component: Statistics,
  },
  { id: "top", title: "Top talkers", icon: "M3 5h14M3 10h9M3 15h5", component: Talkers },
  { id: "status", title: "Status", icon: "M2 10h4l2-6 4 12 2-6h4", component: StatusView },
  { id: "settings", title: "Settings", icon: "M3 6h8m4 0h2M3 14h2m4 0h8M13 4v4M7 12v4", component: Settings },
  {
    id: "charts",
    title: "Charts",
    icon: "M3 3h6v6H3zm8 0h6v6h-6zM3 11h6v6H3zm8 0h6v6h-6z",
    component: Charts,
    linked: true,
  },
];
