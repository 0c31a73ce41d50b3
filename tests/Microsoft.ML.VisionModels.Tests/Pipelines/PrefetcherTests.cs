using Microsoft.ML.VisionModels.Training;

namespace Microsoft.ML.VisionModels.Tests;

public class PrefetcherTests
{
    [Fact]
    public void ItemsComeInOrderWhateverTheyTake()
    {
        using var items = new Prefetcher<Item>(3, 40, number =>
        {
            Thread.Sleep(number % 4);
            return new Item(number);
        });
        for (var number = 3; number < 40; number++)
            Assert.Equal(number, items.Next().Number);
    }

    [Fact]
    public async Task AFewAreMadeAheadAndNoMore()
    {
        var made = 0;
        using var items = new Prefetcher<Item>(0, 1000, number =>
        {
            Interlocked.Increment(ref made);
            return new Item(number);
        });
        await AssertMade(Prefetcher<Item>.Ahead);
        items.Next();
        await AssertMade(Prefetcher<Item>.Ahead + 1);

        async Task AssertMade(int count)
        {
            while (Volatile.Read(ref made) < count)
                await Task.Delay(1, TestContext.Current.CancellationToken);
            await Task.Delay(100, TestContext.Current.CancellationToken);    // time in which more would be made
            Assert.Equal(count, made);
        }
    }

    [Fact]
    public void AnErrorComesWhereItsItemWould()
    {
        using var items = new Prefetcher<Item>(0, 10, number => number == 3 ? throw new InvalidDataException("three") : new Item(number));
        for (var number = 0; number < 3; number++)
            Assert.Equal(number, items.Next().Number);
        Assert.Equal("three", Assert.Throws<InvalidDataException>(items.Next).Message);
        Assert.Equal(4, items.Next().Number);
    }

    [Fact]
    public void WhatNobodyTookIsFreed()
    {
        var alive = 0;
        using (var items = new Prefetcher<Item>(0, 10, number => new Item(number, () => Interlocked.Decrement(ref alive)) { Made = Interlocked.Increment(ref alive) }))
            items.Next().Dispose();
        Assert.Equal(0, alive);
        new Prefetcher<Item>(5, 5, number => new Item(number)).Dispose();
    }

    private sealed record Item(int Number, Action? Freed = null) : IDisposable
    {
        public int Made { get; init; }

        public void Dispose() => Freed?.Invoke();
    }
}
