// SPDX-License-Identifier: GPL-2.0
/*
 * An SPI bus with one chip, for a guest of the bench: 128 registers of an octet. The first octet after chip
 * select is the register's address, its highest bit is set to read; what follows is written to, or read from,
 * that register and the ones after it. Most framers are spoken to like this.
 */
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/spi/spi.h>

static struct platform_device *parent;
static struct spi_controller *controller;
static u8 registers[128];

static int transfer_message(struct spi_controller *bus, struct spi_message *message)
{
	struct spi_transfer *part;
	int address = -1;
	bool reads = false;

	list_for_each_entry(part, &message->transfers, transfer_list) {
		const u8 *tx = part->tx_buf;
		u8 *rx = part->rx_buf;
		unsigned int i;

		for (i = 0; i < part->len; i++) {
			u8 in = tx ? tx[i] : 0, out = 0;

			if (address < 0) {
				reads = in & 0x80;
				address = in & 0x7f;
			} else {
				if (reads)
					out = registers[address];
				else
					registers[address] = in;
				address = (address + 1) & 0x7f;
			}
			if (rx)
				rx[i] = out;
		}
		message->actual_length += part->len;
	}
	message->status = 0;
	spi_finalize_current_message(bus);
	return 0;
}

static int __init spi_mock_init(void)
{
	struct spi_board_info chip = { .modalias = "spi-mock-chip", .max_speed_hz = 1000000 };
	int error;

	parent = platform_device_register_simple("spi-mock", -1, NULL, 0);
	if (IS_ERR(parent))
		return PTR_ERR(parent);
	controller = spi_alloc_master(&parent->dev, 0);
	if (!controller) {
		error = -ENOMEM;
		goto no_controller;
	}
	controller->bus_num = 0;
	controller->num_chipselect = 1;
	controller->mode_bits = SPI_CPOL | SPI_CPHA;
	controller->transfer_one_message = transfer_message;
	error = spi_register_controller(controller);
	if (error) {
		spi_controller_put(controller);
		goto no_controller;
	}
	if (!spi_new_device(controller, &chip)) {
		spi_unregister_controller(controller);
		error = -ENODEV;
		goto no_controller;
	}
	return 0;

no_controller:
	platform_device_unregister(parent);
	return error;
}

static void __exit spi_mock_exit(void)
{
	spi_unregister_controller(controller);
	platform_device_unregister(parent);
}

module_init(spi_mock_init);
module_exit(spi_mock_exit);
MODULE_DESCRIPTION("SPI bus with a chip of 128 registers that are memory");
MODULE_LICENSE("GPL");
