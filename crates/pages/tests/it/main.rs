//! Reads every page as a browser would, and computes the contrast of the colours.

#[cfg(test)]
mod assets;
#[cfg(test)]
mod contrast;
#[cfg(test)]
mod openapi;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod sample;
