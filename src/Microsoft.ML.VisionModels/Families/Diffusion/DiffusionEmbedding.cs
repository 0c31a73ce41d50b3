namespace Microsoft.ML.VisionModels;

/// <summary>A word that was learned from images, for prompts to use: textual inversion (arXiv 2208.01618).</summary>
/// <param name="Path">A file as AUTOMATIC1111's web UI or diffusers write it, or diffusers' folder of one (<c>learned_embeds.safetensors</c>).</param>
/// <param name="Token">
/// What the word is called in prompts, such as <c>&lt;my-cat&gt;</c>; null for what the file says, or, where it says nothing, its own name. One that
/// consists of several vectors is written once all the same; each is also a word of its own, with a number from 1 behind its name (<c>&lt;my-cat&gt;_1</c>).
/// </param>
public sealed record DiffusionEmbedding(string Path, string? Token = null);
