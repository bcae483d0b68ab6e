export { type Count, type Dashboard, type DashboardRow, dashboardOf } from './dashboard.ts';
export { type Graph, graphMermaid, graphOf } from './graph.ts';
