import React from 'react';

type Props = { title: string };

/** Shows a card. */
export const Card: React.FC<Props> = ({ title }) => {
  return <div>{title}</div>;
};

export function App() {
  return <Card title="rye" />;
}
