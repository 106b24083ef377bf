//! The check of a graph: it finds every error, not only the first.

use std::collections::HashMap;

use super::{Fault, GraphError, Role, SOURCE, StageSpec, role};
use crate::extra::ExtraOwner;
use crate::nearest::nearest;
use crate::port::Port;

/// Where a stage's input comes from, once its name is resolved.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Input {
    Source,
    Stage(usize),
}

struct Check<'a> {
    specs: &'a [StageSpec],
    inputs: Vec<Vec<Input>>,
    errors: Vec<GraphError>,
}

/// Checks the stages, and gives for each where its inputs come from.
pub(super) fn check(specs: &[StageSpec]) -> Result<Vec<Vec<Input>>, Vec<GraphError>> {
    let mut check = Check { specs, inputs: Vec::new(), errors: Vec::new() };
    check.resolve_names();
    check.check_ports();
    check.check_cycles_and_reach();
    check.check_fan_out();
    check.check_columns();
    let Check { inputs, mut errors, .. } = check;
    errors.sort_by_key(|error| error.stage.unwrap_or(usize::MAX));
    let buildable = specs.iter().all(|spec| !matches!(spec.role, Role::Unbuilt { .. }));
    if errors.is_empty() && buildable { Ok(inputs) } else { Err(errors) }
}

fn accepts(role: &Role) -> Vec<Port> {
    match role {
        Role::Operator(operator) => vec![operator.operator().input()],
        Role::Sink(config) => config.accepts().to_vec(),
        Role::Unbuilt { accepts, .. } => accepts.clone(),
    }
}

fn output(role: &Role) -> Option<Port> {
    match role {
        Role::Operator(operator) => Some(operator.operator().output()),
        Role::Sink(_) => None,
        Role::Unbuilt { output, .. } => *output,
    }
}

fn is_sink(role: &Role) -> bool {
    matches!(role, Role::Sink(_) | Role::Unbuilt { is_sink: true, .. })
}

impl Check<'_> {
    fn fault(&mut self, stage: usize, fault: Fault) {
        self.errors.push(GraphError { stage: Some(stage), fault });
    }

    fn resolve_names(&mut self) {
        let specs = self.specs;
        let mut names: HashMap<&str, usize> = HashMap::new();
        for (index, spec) in specs.iter().enumerate() {
            if &*spec.name == SOURCE || names.contains_key(&*spec.name) {
                self.fault(index, Fault::DuplicateName(spec.name.clone()));
            } else {
                names.insert(&spec.name, index);
            }
        }
        for (index, spec) in specs.iter().enumerate() {
            let mut resolved = Vec::new();
            for input in &spec.inputs {
                match names.get(&**input) {
                    _ if &**input == SOURCE => resolved.push(Input::Source),
                    Some(&from) if is_sink(&specs[from].role) => self.fault(index, Fault::InputIsSink(input.clone())),
                    Some(&from) => resolved.push(Input::Stage(from)),
                    None => {
                        let nearest = nearest(input, names.keys().copied().chain([SOURCE])).map(Into::into);
                        self.fault(index, Fault::UnknownInput { input: input.clone(), nearest });
                    }
                }
            }
            if spec.inputs.is_empty() {
                self.fault(index, Fault::NoInput);
            } else if spec.inputs.len() > 1 && !is_sink(&spec.role) {
                self.fault(index, Fault::TooManyInputs(spec.inputs.len()));
            }
            self.inputs.push(resolved);
        }
        if !specs.iter().any(|spec| is_sink(&spec.role)) {
            self.errors.push(GraphError { stage: None, fault: Fault::NoSink });
        }
    }

    fn name_of(&self, input: Input) -> Box<str> {
        match input {
            Input::Source => SOURCE.into(),
            Input::Stage(index) => self.specs[index].name.clone(),
        }
    }

    fn port_of(&self, input: Input) -> Option<Port> {
        match input {
            Input::Source => Some(Port::Files),
            Input::Stage(index) => output(&self.specs[index].role),
        }
    }

    fn check_ports(&mut self) {
        for index in 0..self.specs.len() {
            let takes = accepts(&self.specs[index].role);
            let mut seen: HashMap<Port, Input> = HashMap::new();
            for input in self.inputs[index].clone() {
                let Some(gives) = self.port_of(input) else { continue };
                if !takes.is_empty() && !takes.contains(&gives) {
                    let fault = Fault::PortMismatch { input: self.name_of(input), gives, takes: takes.clone() };
                    self.fault(index, fault);
                } else if let Some(first) = seen.insert(gives, input) {
                    let inputs = [self.name_of(first), self.name_of(input)];
                    self.fault(index, Fault::RepeatedPort { port: gives, inputs });
                }
            }
            if let (Some(&chunks), Some(&vectors)) = (seen.get(&Port::Chunks), seen.get(&Port::Vectors))
                && self.embedded_by(vectors).is_some_and(|embedded| embedded != chunks)
            {
                let fault = Fault::ForeignChunks { chunks: self.name_of(chunks), vectors: self.name_of(vectors) };
                self.fault(index, fault);
            }
            if let Role::Operator(operator) = &self.specs[index].role
                && let Some(fault) = role::fault(operator)
            {
                self.fault(index, fault);
            }
        }
    }

    /// Where the chunks come from that these vectors are of. Operators on vectors take one
    /// input, so following it leads to the embedder.
    fn embedded_by(&self, vectors: Input) -> Option<Input> {
        let mut at = vectors;
        // A cycle is reported elsewhere.
        for _ in 0..self.specs.len() {
            let Input::Stage(index) = at else { return None };
            let before = *self.inputs[index].first()?;
            match self.port_of(before)? {
                Port::Vectors => at = before,
                Port::Chunks => return Some(before),
                Port::Files | Port::Contents | Port::Syntax => return None,
            }
        }
        None
    }

    /// Reports each cycle once, at its first stage, and stages that are cut off for no
    /// reason reported elsewhere.
    fn check_cycles_and_reach(&mut self) {
        let count = self.specs.len();
        let mut in_cycle = vec![false; count];
        for start in 0..count {
            // Operators have one input, so following it finds any cycle they are on.
            let mut trail = vec![start];
            let mut at = start;
            while let Some(&Input::Stage(next)) = self.inputs[at].first() {
                if next == start {
                    if trail.iter().all(|&stage| !in_cycle[stage]) {
                        let names = trail.iter().rev().map(|&stage| self.specs[stage].name.clone()).collect();
                        self.fault(start, Fault::Cycle(names));
                    }
                    for &stage in &trail {
                        in_cycle[stage] = true;
                    }
                    break;
                }
                if trail.contains(&next) {
                    break;
                }
                trail.push(next);
                at = next;
            }
        }
        let mut reached = vec![false; count];
        let mut used = vec![false; count];
        for _ in 0..count {
            for index in 0..count {
                reached[index] |= self.inputs[index].iter().any(|input| match *input {
                    Input::Source => true,
                    Input::Stage(from) => reached[from],
                });
                if is_sink(&self.specs[index].role) || used[index] {
                    for input in &self.inputs[index] {
                        if let Input::Stage(from) = *input {
                            used[from] = true;
                        }
                    }
                }
            }
        }
        let blamed: Vec<usize> = self.errors.iter().filter_map(|error| error.stage).collect();
        for index in 0..count {
            let blameless = !blamed.contains(&index) && !in_cycle[index];
            // A stage behind a faulty one is cut off by that fault, which is reported.
            let behind_fault = self.inputs[index]
                .iter()
                .any(|input| matches!(*input, Input::Stage(from) if blamed.contains(&from) || in_cycle[from] || !reached[from]));
            if blameless && !reached[index] && !behind_fault {
                self.fault(index, Fault::Unreachable);
            }
            let has_sink = self.specs.iter().any(|spec| is_sink(&spec.role));
            if blameless && has_sink && blamed.is_empty() && !is_sink(&self.specs[index].role) && !used[index] {
                self.fault(index, Fault::Unused);
            }
        }
    }

    /// A content is read and parsed once: files and contents feed one operator each, and a
    /// syntax that an operator turns into another feeds nothing else.
    fn check_fan_out(&mut self) {
        let mut takers: HashMap<usize, Vec<usize>> = HashMap::new();
        let mut of_source: Option<usize> = None;
        for index in 0..self.specs.len() {
            let is_sink = is_sink(&self.specs[index].role);
            // An operator takes one input; that it has others is reported elsewhere.
            let most = if is_sink { usize::MAX } else { 1 };
            for &input in self.inputs[index].clone().iter().take(most) {
                match input {
                    Input::Source if is_sink => {}
                    Input::Source => match of_source {
                        Some(first) => self.fan_out(index, Port::Files, first),
                        None => of_source = Some(index),
                    },
                    Input::Stage(from) => takers.entry(from).or_default().push(index),
                }
            }
        }
        let mut takers: Vec<(usize, Vec<usize>)> = takers.into_iter().collect();
        takers.sort_unstable();
        for (from, takers) in takers {
            let role = &self.specs[from].role;
            let Some(port) = output(role) else { continue };
            let operators = takers.iter().copied().filter(|&taker| !is_sink(&self.specs[taker].role));
            let alone: Vec<usize> = match port {
                Port::Files | Port::Contents => operators.collect(),
                Port::Syntax => {
                    let turns = |&taker: &usize| output(&self.specs[taker].role) == Some(Port::Syntax);
                    if operators.clone().any(|taker| turns(&taker)) { takers.clone() } else { Vec::new() }
                }
                Port::Chunks | Port::Vectors => Vec::new(),
            };
            if let Some((&first, others)) = alone.split_first() {
                for &other in others {
                    self.fan_out(other, port, first);
                }
            }
        }
    }

    fn fan_out(&mut self, stage: usize, port: Port, first: usize) {
        let other = self.specs[first].name.clone();
        self.fault(stage, Fault::FanOut { port, other });
    }

    /// Checks that extra columns of the same rows have different names. Chunk columns of
    /// parallel branches belong to different rows, so their names may be equal.
    fn check_columns(&mut self) {
        let mut seen: HashMap<_, Vec<usize>> = HashMap::new();
        for index in 0..self.specs.len() {
            let Role::Operator(operator) = &self.specs[index].role else { continue };
            for column in operator.operator().columns() {
                let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
                let starts = column.name.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
                if !starts || !column.name.bytes().all(plain) {
                    self.fault(index, Fault::BadColumn(column.name));
                    continue;
                }
                let of_name = seen.entry((column.owner, column.name.clone())).or_default();
                let shares_rows = |&&other: &&usize| {
                    column.owner == ExtraOwner::Files || self.is_before(other, index) || self.is_before(index, other)
                };
                if let Some(&first) = of_name.iter().find(shares_rows) {
                    let other = self.specs[first].name.clone();
                    self.fault(index, Fault::RepeatedColumn { column: column.name, other });
                } else {
                    of_name.push(index);
                }
            }
        }
    }

    /// Whether `stage` equals `other` or comes before it.
    fn is_before(&self, stage: usize, other: usize) -> bool {
        let inputs = |&stage: &usize| match self.inputs[stage].first() {
            Some(Input::Stage(from)) => Some(*from),
            Some(Input::Source) | None => None,
        };
        // A cycle is reported elsewhere.
        std::iter::successors(Some(other), inputs).take(self.specs.len()).any(|before| before == stage)
    }
}
