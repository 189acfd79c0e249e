// The parts of ECharts that are used, and no other.
import { BarChart, CustomChart, HeatmapChart, LineChart, ParallelChart, ScatterChart } from "echarts/charts";
import {
  AriaComponent, DataZoomInsideComponent, DataZoomSliderComponent, GridComponent, LegendComponent, MarkLineComponent,
  ParallelComponent, TooltipComponent, VisualMapContinuousComponent, VisualMapPiecewiseComponent,
} from "echarts/components";
import { init, use } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";

use([
  BarChart, CustomChart, HeatmapChart, LineChart, ParallelChart, ScatterChart, AriaComponent, DataZoomInsideComponent,
  DataZoomSliderComponent, GridComponent, LegendComponent, MarkLineComponent, ParallelComponent, TooltipComponent,
  VisualMapContinuousComponent, VisualMapPiecewiseComponent, CanvasRenderer,
]);

export { init };
export type { ECharts } from "echarts/core";
export type { EChartsOption as Option } from "echarts";
