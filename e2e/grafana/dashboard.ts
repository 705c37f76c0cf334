// What a dashboard of docs/dashboards has to be: the type Dashboard of @grafana/schema, closed where that is open. It
// leaves the options and queries of panels and annotations to the plugins, so that any key would pass, or none; here
// they are the plugins'.

import type * as schema from "@grafana/schema";
import type * as barGauge from "@grafana/schema/dist/esm/raw/composable/bargauge/panelcfg/x/BarGaugePanelCfg_types.gen";
import type * as gauge from "@grafana/schema/dist/esm/raw/composable/gauge/panelcfg/x/GaugePanelCfg_types.gen";
import type * as heatmap from "@grafana/schema/dist/esm/raw/composable/heatmap/panelcfg/x/HeatmapPanelCfg_types.gen";
import type * as stat from "@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen";
import type * as table from "@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen";
import type * as timeSeries from "@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen";

// JSON has no enums, only their values.
type Values<T> = T extends string
  ? `${T}`
  : T extends number | boolean | null | undefined
    ? T
    : T extends object
      ? { [K in keyof T]: Values<T[K]> }
      : T;

// PrometheusTarget is the query of Grafana's Prometheus data source, which the schema does not have.
interface PrometheusTarget extends schema.DataQuery {
  datasource: schema.DataSourceRef;
  expr: string;
  legendFormat: string;
  format: "time_series" | "heatmap" | "table";
  instant: boolean;
  range: boolean;
  exemplar: boolean;
  editorMode: "code" | "builder";
}

type FieldConfig<Custom> = Omit<schema.FieldConfig, "custom"> & { unit: string; custom?: Custom };

// A panel leaves out what is the plugin's default.
type Panel<Type extends string, Options, Custom = never> = Omit<
  schema.Panel,
  "type" | "options" | "fieldConfig" | "targets"
> & {
  id: number;
  type: Type;
  title: string;
  description: string;
  gridPos: schema.GridPos;
  options: Partial<Options>;
  fieldConfig: Omit<schema.FieldConfigSource, "defaults"> & { defaults: FieldConfig<Custom> };
  targets: PrometheusTarget[];
};

type AnyPanel =
  | Panel<"bargauge", barGauge.Options>
  | Panel<"gauge", gauge.Options>
  | Panel<"heatmap", heatmap.Options, heatmap.FieldConfig>
  | Panel<"stat", stat.Options>
  | Panel<"table", table.Options, Partial<table.FieldConfig>>
  | Panel<"timeseries", timeSeries.Options, timeSeries.FieldConfig>
  | schema.RowPanel;

// What Grafana's Prometheus data source reads of an annotation, besides the query.
interface Annotation extends Omit<schema.AnnotationQuery, "target"> {
  target: schema.DataQuery & { expr: string };
  titleFormat: string;
  textFormat: string;
  tagKeys: string;
}

export type Dashboard = Values<
  Omit<schema.Dashboard, "panels" | "annotations"> & {
    uid: string;
    panels: AnyPanel[];
    annotations: { list: Annotation[] };
  }
>;
