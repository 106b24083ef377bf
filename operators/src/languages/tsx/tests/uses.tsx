import { Panel } from "@/ui/panel";

export const App = (props: Props) => <Panel {...props}>{render(props)}</Panel>;
