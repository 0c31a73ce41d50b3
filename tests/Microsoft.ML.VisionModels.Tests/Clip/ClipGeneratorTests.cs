using Microsoft.Extensions.AI;
using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Tests.Contract;

namespace Microsoft.ML.VisionModels.Tests.Clip;

/// <summary>The faces for Microsoft.Extensions.AI give what the pipelines give.</summary>
public class ClipGeneratorTests(TrainedClip trained)
{
    private readonly MLContext _context = new(seed: 1);

    [Fact]
    public async Task TextsHaveThePipelinesVectors()
    {
        var rows = ContractData.Rows(70);   // more than go through the network at once
        using var generator = new ClipTextEmbeddingGenerator(trained.Checkpoint, device: "cpu");
        var embeddings = await generator.GenerateAsync(rows.Select(row => row.Text), cancellationToken: TestContext.Current.CancellationToken);
        using var model = _context.Transforms.ClipTextEmbedding(trained.Checkpoint).Fit(_context.Data.LoadFromEnumerable(rows));
        var expected = model.Transform(_context.Data.LoadFromEnumerable(rows)).GetColumn<float[]>("Embedding").ToArray();
        ContractData.AssertClose(expected, embeddings.Select(embedding => embedding.Vector.ToArray()).ToArray());
        Assert.Empty(await generator.GenerateAsync([], cancellationToken: TestContext.Current.CancellationToken));
    }

    [Fact]
    public void TextsThatAreCutAreSaidOnce()
    {
        var heard = new List<string>();
        _context.Log += (_, e) => heard.Add(e.Message);
        var fits = ContractData.Rows(3);
        using var model = _context.Transforms.ClipTextEmbedding(trained.Checkpoint).Fit(_context.Data.LoadFromEnumerable(fits));
        _ = model.Transform(_context.Data.LoadFromEnumerable(fits)).GetColumn<float[]>("Embedding").ToArray();
        Assert.DoesNotContain(heard, message => message.Contains("cut off", StringComparison.Ordinal));

        foreach (var row in fits)
            row.Text = string.Concat(Enumerable.Repeat("a cat ", 200));
        for (var pass = 0; pass < 2; pass++)
            _ = model.Transform(_context.Data.LoadFromEnumerable(fits)).GetColumn<float[]>("Embedding").ToArray();
        Assert.Contains("a cat", Assert.Single(heard, message => message.Contains("cut off", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task ImagesHaveThePipelinesVectors()
    {
        using var folder = TestFolders.Temporary();
        var files = ContractData.Save(folder, 18);
        using var generator = new ClipImageEmbeddingGenerator(trained.Checkpoint, device: "cpu");
        var embeddings = await generator.GenerateAsync(files.Select(file => new DataContent(File.ReadAllBytes(file), "image/png")), cancellationToken: TestContext.Current.CancellationToken);
        using var model = _context.Transforms.ClipImageEmbedding(trained.Checkpoint).Fit(ContractData.Paths(_context, files));
        var expected = model.Transform(ContractData.Paths(_context, files)).GetColumn<float[]>("Embedding").ToArray();
        ContractData.AssertClose(expected, embeddings.Select(embedding => embedding.Vector.ToArray()).ToArray());
    }

    [Fact]
    public async Task AnImageThatCannotBeReadIsNamedByItsPlace()
    {
        using var generator = new ClipImageEmbeddingGenerator(trained.Checkpoint, device: "cpu");
        var error = await Assert.ThrowsAsync<ImageDecodeException>(() => generator.GenerateAsync(
            [new DataContent("no image"u8.ToArray(), "image/png")], cancellationToken: TestContext.Current.CancellationToken));
        Assert.Equal(0, error.Row);
        await Assert.ThrowsAsync<ArgumentException>(() => generator.GenerateAsync([], new() { Dimensions = 64 }, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task TellsOfItselfAndEndsCleanly()
    {
        var generator = new ClipTextEmbeddingGenerator(trained.Checkpoint, device: "cpu");
        var metadata = generator.GetService<EmbeddingGeneratorMetadata>()!;
        Assert.Equal(128, metadata.DefaultModelDimensions);
        Assert.Same(generator, generator.GetService<ClipTextEmbeddingGenerator>());
        Assert.Contains("64", (await Assert.ThrowsAsync<ArgumentException>(() => generator.GenerateAsync(["a cat"], new() { Dimensions = 64 }, TestContext.Current.CancellationToken))).Message);
        Assert.Single(await generator.GenerateAsync(["a cat"], new() { Dimensions = 128 }, TestContext.Current.CancellationToken));
        Assert.Null(generator.GetService(typeof(string)));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => generator.GenerateAsync(["a cat"], cancellationToken: new CancellationToken(true)));
        generator.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => generator.GenerateAsync(["a cat"], cancellationToken: TestContext.Current.CancellationToken));
    }
}
