import asyncio

from leadline.net.capacity import LEAST, MOST, Capacity


def test_answers_widen_and_losses_narrow() -> None:
    capacity = Capacity()
    assert capacity.limit == LEAST
    capacity.answered()
    assert capacity.limit == LEAST + 2
    for _ in range(100):
        capacity.answered()
    assert capacity.limit == MOST
    capacity.repeated()
    assert capacity.limit == MOST * 0.7
    capacity.given_up()
    assert capacity.limit == MOST * 0.7 * 0.4
    for _ in range(10):
        capacity.given_up()
    assert capacity.limit == LEAST
    capacity.repeated()
    assert capacity.limit == LEAST


def test_only_so_many_enter_and_the_first_come_first() -> None:
    async def scene() -> list[int]:
        capacity = Capacity()
        order: list[int] = []

        async def one(number: int) -> None:
            await capacity.enter()
            order.append(number)

        tasks = [asyncio.create_task(one(number)) for number in range(LEAST + 5)]
        await asyncio.sleep(0)
        assert order == list(range(LEAST))
        capacity.leave()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert order == list(range(LEAST + 1))
        capacity.answered()  # two more places
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert order == list(range(LEAST + 3))
        for task in tasks:
            task.cancel()
        return order

    asyncio.run(scene())


def test_who_leaves_the_queue_takes_no_place() -> None:
    async def scene() -> None:
        capacity = Capacity()
        for _ in range(LEAST):
            await capacity.enter()
        leaver, admitted, last = (asyncio.create_task(capacity.enter()) for _ in range(3))
        await asyncio.sleep(0)
        leaver.cancel()
        await asyncio.sleep(0)
        capacity.leave()
        await asyncio.wait_for(admitted, 1)
        assert not last.done()
        capacity.leave()
        last.cancel()  # at the moment when its turn has come
        await asyncio.gather(last, leaver, return_exceptions=True)
        await asyncio.wait_for(capacity.enter(), 1)

    asyncio.run(scene())
