using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Families.Clip;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.Diffusion;

/// <summary>
/// A word that was learned from images: "An Image is Worth One Word: Personalizing Text-to-Image Generation using Textual Inversion"
/// (arXiv 2208.01618). A text tower reads its vectors in the place of a token's.
/// </summary>
/// <param name="Token">What it is called in prompts.</param>
/// <param name="Vectors">For each text tower as many vectors, [n, D].</param>
internal sealed record LearnedWord(string Token, Tensor[] Vectors)
{
    // The web UI's names of tensors: in its own files, in those of others, and for the two towers of SDXL.
    private const string OwnTensor = "string_to_param.*", OwnName = "name", UnnamedTensor = "emb_params";
    private static readonly string[] s_ofTowers = ["clip_l", "clip_g"], s_folderFiles = ["learned_embeds.safetensors", "learned_embeds.bin"];

    public int Count => (int)Vectors[0].shape[0];

    /// <summary>The tokens of the vectors, named as diffusers names them.</summary>
    public IEnumerable<string> Tokens => Enumerable.Range(0, Count).Select(i => i == 0 ? Token : $"{Token}_{i}");

    /// <summary>Reads a file. Its vectors are the caller's.</summary>
    /// <param name="embedding">The file, and what its word is to be called.</param>
    /// <param name="towers">The text towers that will read it.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="CheckpointException">It is damaged, of another kind, or for another model.</exception>
    public static LearnedWord Read(DiffusionEmbedding embedding, IReadOnlyList<ClipTextConfig> towers)
    {
        var path = embedding.Path;
        if (Directory.Exists(path))
        {
            path = s_folderFiles.Select(name => Path.Combine(path, name)).FirstOrDefault(File.Exists)
                ?? throw new FileNotFoundException($"The folder {path} holds no learned word: none of {string.Join(", ", s_folderFiles)} is there.", path);
        }
        using var file = Checkpoint.Open(path);
        var names = file.Tensors.Keys.ToArray();
        string[] tensors = names.Contains(OwnTensor) ? [OwnTensor] : s_ofTowers.All(names.Contains) ? s_ofTowers : names;
        if (tensors.Length > 1 && tensors != s_ofTowers)
            throw new CheckpointException($"{path} holds {names.Length} tensors, {string.Join(", ", names.Take(3).Select(name => $"'{name}'"))}; a learned word's file has one, or '{OwnTensor}', or {string.Join(" and ", s_ofTowers)}.");
        if (tensors.Length != towers.Count)
            throw new CheckpointException($"{path} has vectors for {tensors.Length} text encoder{(tensors.Length == 1 ? "" : "s")}, but the model has {towers.Count}: it was learned for another model.");
        var token = embedding.Token ?? (tensors[0] == OwnTensor ? file.Texts.GetValueOrDefault(OwnName) : tensors[0] == UnnamedTensor || tensors.Length > 1 ? null : tensors[0])
            ?? Path.GetFileNameWithoutExtension(path);
        return new(token, [.. tensors.Zip(towers, (name, tower) => Vectors(name, tower.Width))]);

        Tensor Vectors(string name, int width)
        {
            var shape = file.Tensors[name].Shape;
            if (shape.Count is not (1 or 2) || shape.Contains(0))
                throw new CheckpointException($"{path}: '{name}' is {shape.Text()}, which are no vectors of a word.");
            if (shape[^1] != width)
                throw new CheckpointException($"{path}: the vectors of '{token}' have {shape[^1]} numbers, but those of the model's text encoder {width}: it was learned for another model.");
            using var vectors = file.Read(name);
            return vectors.reshape(-1, width);
        }
    }
}
