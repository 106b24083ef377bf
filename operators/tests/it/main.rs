mod chunk;
mod embed;
mod parse;
mod read;
